"""tables: what an experiment found, in lines."""

from __future__ import annotations

from verify.experiments.outcome import Outcome, Plan, Violation
from verify.experiments.tables import campaign
from verify.judge.asked import Asked


def told(**fields) -> list[str]:
    plan = Plan(cases=2000, seed=7, shards=fields.pop("shards", 1))
    given = {"parts": (1,), "judged": 2000, "seconds": 2.0, **fields}
    return campaign(Outcome(plan=plan, **given), Asked("lab.py:f")).splitlines()


def test_counts_rate_and_seed_stand_in_the_first_line():
    assert told(enclosed=3)[0] == (
        "seed 7, both: 2,000 cases judged, 3 of them against the truth, 0 violations, 2.0 s,"
        " 1,000 cases/s"
    )


def test_a_shard_says_which_it_is():
    assert told(shards=3)[0].startswith("seed 7, both, shard 1 of 3: ")


def test_worst_ratios_stand_by_what_was_compared():
    lines = told(worst={"a: y": 0.5, "a: C": 0.25, "b: y": 1.0})
    assert "  a" + " " * 40 + "y 0.5, C 0.25" in lines
    assert "  b" + " " * 40 + "y 1" in lines


def test_what_cases_notice_stands_as_shares():
    lines = told(resolution={"inf": 400, "-2": 40, "3": 50, "-14": 1500, "-1": 10})
    first = lines.index("relative errors of one gradient entry that cases notice") + 1
    assert [line.rsplit(maxsplit=1) for line in lines[first : first + 4]] == [
        ["  1e-14", "75.000%"],
        ["  1e-2", "2.000%"],
        ["  none below 0.01", "3.000%"],
        ["  the gradient is 0", "20.000%"],
    ]


def test_cases_that_nothing_can_be_said_of_are_told():
    assert "5 cases are out of the range in which bounds hold" in told(unjudged=5)


def test_a_violation_names_its_case_and_its_file():
    seen = Violation(case=9, dtype="float32", what="a", link="y", ratio=3.25)
    lines = told(violations=(seen, seen.model_copy(update={"file": "f.toml"})))
    assert lines[-4] == "VIOLATION  case 9 (float32): a, y: 3.25"
    assert lines[-3] == "  it does not show when its problem is judged alone"
    assert lines[-1] == "  shrunk: verify run 'f.toml' --candidate lab.py:f"


def test_an_interrupted_campaign_says_so():
    assert told(parts=())[-1] == "INTERRUPTED: this is no whole shard"

"""outcome: what shards found adds up, and nothing that is missing is claimed."""

from __future__ import annotations

import pytest

from verify.errors import UsageError
from verify.experiments.outcome import Outcome, Plan, Violation, merged, planned
from verify.judge.asked import Asked


def shard(part: int, of: int = 3, **fields) -> Outcome:
    plan = Plan(cases=6144, seed=fields.pop("seed", 0), shards=of)
    given = {
        "judged": 6144 // of - fields.get("unjudged", 0),
        "environment": {"verify": "0.1.0"},
        **fields,
    }
    return Outcome(plan=plan, parts=(part,), **given)


def files(*outcomes: Outcome) -> list[tuple[str, bytes]]:
    return [(f"{i}.json", o.model_dump_json().encode()) for i, o in enumerate(outcomes)]


def test_counts_add_up_and_the_worst_is_the_worst():
    found = merged(files(
        shard(1, worst={"a: y": 0.5, "a: C": 0.1}, resolution={"-5": 7, "inf": 1}, enclosed=2),
        shard(3, worst={"a: y": 0.7}, resolution={"-5": 3, "-4": 2}, unjudged=4),
        shard(2, seconds=1.5),
    ))  # fmt: skip
    assert (found.judged, found.enclosed, found.unjudged, found.found) == (6140, 2, 4, 6144)
    assert found.worst == {"a: y": 0.7, "a: C": 0.1}
    assert found.resolution == {"-5": 10, "inf": 1, "-4": 2}
    assert found.parts == (1, 2, 3)
    assert found.seconds == 1.5
    assert found.exit_code == 0


def test_a_violation_of_one_shard_is_one_of_all():
    violation = Violation(case=5, dtype="float32", what="x", link="y", ratio=float("inf"))
    found = merged(files(shard(1, 2), shard(2, 2, violations=(violation,))))
    assert found.violations == (violation,)
    assert found.exit_code == 1


def test_nothing_judged_is_not_green():
    assert shard(1, judged=0).exit_code == 5


def test_a_missing_shard_is_refused_by_its_number():
    with pytest.raises(UsageError, match=r"of 3 shards 2 is missing"):
        merged(files(shard(1), shard(3)))
    with pytest.raises(UsageError, match=r"of 40 shards 2, 3, .* and more are missing"):
        merged(files(shard(1, 40)))


def test_a_doubled_shard_is_refused_by_its_files():
    with pytest.raises(UsageError, match=r"shard 1/3 is doubled: in 0\.json and in 2\.json"):
        merged(files(shard(1), shard(2), shard(1), shard(3)))


def test_shards_of_other_campaigns_or_versions_are_refused():
    with pytest.raises(UsageError, match=r"1\.json is of another campaign.*differs in seed;"):
        merged(files(shard(1), shard(2, seed=1)))
    other = shard(2, environment={"verify": "9"})
    with pytest.raises(UsageError, match="differs in verify;"):
        merged(files(shard(1), other))


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"plan": 3}', b"\xff", b'{"format": 2}'])
def test_what_is_no_outcome_is_refused_with_a_sentence(text):
    with pytest.raises(UsageError, match=r"^x\.json is not what `verify campaign --json` writes:"):
        merged([("x.json", text)])


@pytest.mark.parametrize("fields", [{"cases": 0}, {"cases": 10**11}, {"cases": 5, "seed": 2**63}])
def test_a_plan_out_of_range_is_refused_by_its_field(fields):
    with pytest.raises(UsageError, match=f"campaign: {list(fields)[-1]} = "):
        planned(**fields)


def test_json_keeps_every_number():
    outcome = shard(1, 1, worst={"a: y": 0.1 + 0.2, "a: C": float("inf")})
    assert merged(files(outcome)) == outcome


@pytest.mark.parametrize(
    "fields", [{"judged": 1}, {"judged": 2049}, {"judged": 0}, {"enclosed": 9999}]
)
def test_a_shard_that_has_not_judged_what_the_plan_gives_it_is_refused(fields):
    with pytest.raises(UsageError, match=r"2.json: \d+ judged and 0 out of range, of 2048 cases"):
        merged(files(shard(1), shard(2), shard(3, **fields)))


@pytest.mark.parametrize(
    "change",
    ['"judged":-1', '"judged":1' + "0" * 400, '"resolution":{"a":1}', '"resolution":{"-5":-1}',
     '"seconds":-1.0', '"judged":true', '"format":2'],
)  # fmt: skip
def test_numbers_that_no_shard_has_are_refused_and_crash_nothing(change):
    (name, text), *_ = files(shard(1, 1))
    key = change.split(":")[0]
    start = text.index(key.encode())
    end = min(i for i in (text.find(b',"', start + 3), len(text)) if i > 0)
    with pytest.raises(UsageError, match="is not what `verify campaign --json` writes"):
        merged([(name, text[:start] + change.encode() + text[end:])])


def told(**fields) -> list[str]:
    plan = Plan(cases=2000, seed=7, shards=fields.pop("shards", 1))
    given = {"parts": (1,), "judged": 2000, "seconds": 2.0, **fields}
    return Outcome(plan=plan, **given).text(Asked("lab.py:f")).splitlines()


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

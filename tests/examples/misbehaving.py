"""Candidates that do what strangers' code does."""

import os
import random
import signal
import time

import numpy as np
from with_numpy import gradient as right


def exits(X, W, P, h):
    os._exit(7)


def dies(X, W, P, h):
    os.kill(os.getpid(), signal.SIGSEGV)


def hangs(X, W, P, h):
    time.sleep(3600)


def raises(X, W, P, h):
    raise ArithmeticError("no gradient today")


def prints(X, W, P, h):
    print("debugging")
    os.write(1, b"from below")
    return right(X, W, P, h)


def disturbs(X, W, P, h):
    np.seterr(all="raise")
    np.random.seed(1)
    random.seed(1)
    os.chdir("/")
    return right(X, W, P, h)


def answers_text(X, W, P, h):
    return "the gradient"


def answers_nothing(X, W, P, h):
    return None


def answers_strangely(X, W, P, h):
    return {"dW": right(X, W, P, h)}


def answers_objects(X, W, P, h):
    return np.array([object()])

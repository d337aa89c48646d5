import gc
import sys

import pytest

import natya
from natya.actors.runtime.tuning import SWITCH_S, THRESHOLDS


class TestATunedProcess:
    def test_collects_seldom_and_switches_quickly_until_the_end(self):
        before = gc.get_threshold(), sys.getswitchinterval()

        with natya.tuned_process():
            assert gc.get_threshold() == THRESHOLDS
            assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
            assert THRESHOLDS[0] > before[0][0]
            assert before[1] > SWITCH_S

        assert (gc.get_threshold(), sys.getswitchinterval()) == before

    def test_is_as_before_after_an_error_too(self):
        before = gc.get_threshold(), sys.getswitchinterval()

        with pytest.raises(ValueError, match="broke"), natya.tuned_process():
            raise ValueError("broke")

        assert (gc.get_threshold(), sys.getswitchinterval()) == before

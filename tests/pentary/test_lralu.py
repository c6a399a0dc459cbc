import random

import numpy as np
import pytest

from pentary.interpreter.lowrank import LOWRANK
from pentary.interpreter.state import OperandFault
from pentary.lralu import LowRankModel

"""Two Dask workers of this machine give the numbers that one process gives."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from tests.unit.test_design import NAMES, two_arms
from trialwright.design.two_arms import performances
from trialwright.design.workers import cluster

WITHOUT = "distributed is not installed; `make dask` installs it and runs this test"
pytestmark = pytest.mark.skipif(find_spec("distributed") is None, reason=WITHOUT)


@pytest.mark.filterwarnings("default")
def test_two_workers_of_a_cluster_give_the_numbers_of_one_process() -> None:
    local: Any = import_module("distributed").LocalCluster
    design = two_arms(allocation={"age": 0.4}, outcome={"age": -0.4}, missing=0.1)
    with local(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers:
        with cluster(workers.scheduler_address) as pool:
            there = performances(NAMES, design, 8000, 1, pool=pool)
        assert len(workers.scheduler.workers) == 2
    assert there == performances(NAMES, design, 8000, 1)

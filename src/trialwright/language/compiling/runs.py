"""The longest run, in steps: clusters of members whose order is undecided, then runs over clusters.

A run of certain passes is broken by a cluster in which something may fail; a run of possible passes by a cluster in
which something surely fails, whose own passes may stand at either end of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis

from trialwright.language.compiling.engine import Column, Table, both, opposite, possibly, surely
from trialwright.language.compiling.moments import Span, latest


def longest_run(
    members: Table, keys: Sequence[str], own: str, belongs: Column, passes: Column, date: Span, prefix: str
) -> Table:
    """By the keys, the shortest and the longest that the longest run can be, and how many surely belong.

    `members` are those that may belong.
    """
    rows = members.select(
        *keys, own, sure=surely(belongs), passes=surely(passes), may=possibly(passes), low=date.low, high=latest(date)
    )
    group = [rows[key] for key in keys]
    rows = rows.mutate(
        undated=rows.low.isnull().cast("int64").max().over(ibis.window(group_by=group)),
        until=rows.high.max().over(ibis.window(group_by=group, order_by=[rows.low, rows[own]], preceding=(None, 1))),
    )
    starts = both(rows.undated == 0, (rows.low > rows.until).coalesce(True))
    rows = rows.mutate(starts=ibis.cases((starts, 1), else_=0))
    rows = rows.mutate(
        cluster=rows.starts.sum().over(
            ibis.window(
                group_by=[rows[key] for key in keys], order_by=[rows.low, rows[own]], preceding=None, following=0
            )
        )
    )
    clusters = rows.group_by([*keys, "cluster"]).aggregate(
        passes=rows.count(where=both(rows.sure, rows.passes)),
        doubts=rows.count(where=opposite(rows.passes)),
        may=rows.count(where=rows.may),
        certain=rows.count(where=rows.sure),
        breaks=rows.count(where=both(rows.sure, opposite(rows.may))),
    )
    so_far = ibis.window(
        group_by=[clusters[key] for key in keys], order_by=clusters.cluster, preceding=None, following=0
    )
    clusters = clusters.mutate(
        doubted=ibis.cases((clusters.doubts > 0, 1), else_=0).sum().over(so_far),
        broken=ibis.cases((clusters.breaks > 0, 1), else_=0).sum().over(so_far),
    )
    return _shortest(clusters, keys, prefix).inner_join(_longest(clusters, keys, prefix), list(keys))


def _shortest(clusters: Table, keys: Sequence[str], prefix: str) -> Table:
    """Stretches of clusters without a doubt; inside a doubtful cluster, its failures break the run evenly."""
    within = ((clusters.passes + clusters.doubts) / (clusters.doubts + 1)).floor().cast("int64")
    stretches = clusters.group_by([*keys, "doubted"]).aggregate(
        stretch=ibis.cases((clusters.doubts == 0, clusters.passes), else_=0).sum(),
        within=ibis.cases((clusters.doubts > 0, within), else_=0).max(),
    )
    return stretches.group_by(list(keys)).aggregate(
        **{prefix + "low": ibis.greatest(stretches.stretch, stretches.within).max().cast("int64")}
    )


def _longest(clusters: Table, keys: Sequence[str], prefix: str) -> Table:
    """From one broken cluster to the next, both included."""
    segments = clusters.group_by([*keys, "broken"]).aggregate(
        total=clusters.may.sum(),
        opening=ibis.cases((clusters.breaks > 0, clusters.may), else_=0).sum(),
        certain=clusters.certain.sum(),
    )
    after = ibis.window(group_by=[segments[key] for key in keys], order_by=segments.broken)
    segments = segments.mutate(following=segments.opening.lead().over(after).coalesce(0))
    return segments.group_by(list(keys)).aggregate(
        **{
            prefix + "high": (segments.total + segments.following).max().cast("int64"),
            prefix + "sure": segments.certain.sum().cast("int64"),
        }
    )

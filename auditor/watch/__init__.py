"""``auditor watch``: the audit of ``auditor.pipeline`` on packets that keep coming, told as news.

``opening`` opens a source, ``loop`` takes packets and audits what is known by now, ``seen`` and ``found`` compare a report
with what was told, ``journal`` keeps what is told and what has to be known at the next start, ``outlets`` and ``sinks`` are
where it goes.
"""

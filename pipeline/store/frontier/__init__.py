"""The frontier and the ledger: what is to be fetched, who has claimed it, and what became of it.

A worker leases a host, so that politeness holds however many workers and machines there are, and then claims that
host's feeds and pages one at a time. The claim of a page counts as an attempt before anything is fetched: a page that
kills its worker is given up after so many attempts instead of circling for ever.
"""

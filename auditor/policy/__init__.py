"""The declared policy: what may talk to what, and the verdict on each flow.

``model`` what a policy is · ``load`` reads one · ``services_file`` the hosts' own ``services`` files · ``terms`` the
lines that follow from zones and catalogue · ``match`` judges a flow table · ``outcome`` what was observed · ``infer`` a
policy from traffic where none was declared.
"""

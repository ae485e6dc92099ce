"""What a failure means, a file for each part of a negotiation that can fail.

A case is a function (story, verdict) that adds to the verdict what the story knows. `TABLE` finds it by the number of
the reason; a further part of the protocol adds its file and its line here.
"""

from host_tools.explain.cases import addresses, certificates, eap, identity, life, ppk, proposals, silence

TABLE = {
    **proposals.CASES,
    **identity.CASES,
    **certificates.CASES,
    **eap.CASES,
    **ppk.CASES,
    **addresses.CASES,
    **silence.CASES,
    **life.CASES,
}

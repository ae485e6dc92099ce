"""The entropy source under watch: the continuous health tests of NIST SP 800-90B section 4.4, on every draw.

A sample is a byte, for which the source claims full entropy: H = 8 bits. A draw takes one window of samples, runs both
tests over it, and gives all of it to the DRBG, which needs 48 bytes of the claimed quality: a source of a tenth of that
would still do. The first two draws come before the first output, and are the start-up test of 1024 samples that
section 4.3 asks for. Cutoffs, for a probability of 2**-40:

    repetition count (4.4.1)      1 + 40 / 8                                    =  6 equal samples in a row
    adaptive proportion (4.4.2)   1 + CRITBINOM(512, 2**-8, 1 - 2**-40)         = 19 of 512 equal to the first

A sound source fails one draw in 2**30: the first test at 507 places, 2**-31.0, the second once, 2**-37.6. Both see a
source that is stuck, that repeats a word of up to 26 bytes, or that gives 4 bits a sample and less; neither sees one
that counts, or is known to somebody else. Called by the DRBG only.
"""

from uike import reason
from uike.crypto import Failure

_WINDOW = 512
_REPEATS = 6
_EQUALS = 19


def watch(entropy):
    """The source for a `Drbg`: a window of tested bytes at each call, however few (48) are asked for.

    entropy(n) is the platform's (uike/hal/__init__.py). The source raises Failure when that gives too little, or
    something that is no entropy.
    """

    def read(n):
        try:
            samples = entropy(_WINDOW)
        except OSError:
            samples = None
        if not samples or len(samples) != _WINDOW:
            raise Failure(reason.NO_ENTROPY, b"")
        last, run, equals = -1, 0, 0
        for sample in samples:
            run = run + 1 if sample == last else 1
            last = sample
            equals += sample == samples[0]
            if run == _REPEATS or equals == _EQUALS:
                raise Failure(reason.ENTROPY_FAILED, b"")
        return samples

    return read

"""The codes of a failed accelerator have their words."""

from host_tools import reasons
from uike.crypto.esp32 import block


def test_every_code_of_the_driver_has_its_words():
    codes = {value for name, value in vars(block).items() if name.isupper() and not name.startswith("_")}
    assert codes == set(reasons.ENGINE_FAULTS)

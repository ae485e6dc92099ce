# For those who build MicroPython themselves and freeze the firmware: make FROZEN_MANIFEST=<here>/manifest.py
# Frozen code takes no RAM. The files are those of package.json, for `mpremote mip install <here>/package.json`.

import json

require("ntptime")  # noqa: F821
require("umqtt.simple")  # noqa: F821
with open("package.json") as listed:
    for path, _ in json.load(listed)["urls"]:
        module(path, opt=3)  # noqa: F821

"""The command `uike`: a table of subcommands, each in a module of its own that is imported when it is needed."""

import importlib

import rich_click as click

COMMANDS = {  # name: module that has `command`
    "boards": "host_tools.boards",
    "image": "host_tools.image_command",
    "update": "host_tools.update_package",
    "emulate": "host_tools.emulate",
    "flash": "host_tools.flash_command",
    "fleet": "host_tools.fleet_command",
    "status": "host_tools.status_command",
    "provision": "host_tools.provision_command",
    "reset": "host_tools.reset_command",
    "debug": "host_tools.debug_command",
    "bench": "host_tools.bench.command",
    "ladder": "host_tools.ladder.command",
    "explain": "host_tools.explain.command",
    "gateway": "host_tools.gateway.command",
    "pcap": "host_tools.capture.command",
    "bundle": "host_tools.bundle",
    "from-strongswan": "host_tools.from_strongswan",
    "from-pem": "host_tools.from_pem",
    "from-pkcs12": "host_tools.from_pkcs12",
}


class _Table(click.RichGroup):
    def list_commands(self, context):
        return list(COMMANDS)

    def get_command(self, context, name):
        if name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[name]).command
        command.name = name  # as the table has it, and not after the function: the list of --help shows it
        return command


@click.group(cls=_Table, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "UIKE"})
@click.version_option(package_name="uike", message="uike %(version)s")
def main():
    """IKEv2 and ESP for ESP32-class boards: build it, run it, watch it."""

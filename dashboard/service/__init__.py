"""The server as a service of the user's account, which a service manager keeps running.

:mod:`.commands` has the commands, :mod:`.program` the command line of the service,
:mod:`.systemd` and :mod:`.launchd` one service manager each.
"""

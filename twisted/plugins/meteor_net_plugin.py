"""Tell twistd of `twistd meteor`. Nothing else is imported here: the choice of a reactor comes after it."""

from twisted.application.service import ServiceMaker

meteor = ServiceMaker(
    "Meteor Net",
    "meteor_net.server.tap",
    "A server of real-time multiplayer games: chat and game state over WebSocket.",
    "meteor",
)

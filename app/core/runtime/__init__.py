"""The processes Steward consists of: how each is started, watched and stopped."""

//! The window. Sends commands, reads events, draws; never waits and never touches a disk.

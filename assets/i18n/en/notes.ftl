# Notes: what is odd about a song's file or an export and stops nothing. English is what the command line
# says; a test compares the two. Places such as $at are times: 1:02

note-rate-change = the sample rate changes at { $at }
note-channel-change = the number of channels changes at { $at }
# $layout is 5.1, or a number of channels.
note-folded-down = folded down from { $layout }
note-channels = { $count } channels
note-unreadable = damaged or different after { $at }: the rest could not be read
note-cut-off = cut off after { $at }
note-cut-off-of = cut off after { $at } of { $whole }
note-unfinished = the recording was not finished: read to the end of the file
note-altered = damaged or changed since it was encoded: its checksum is wrong
note-lost = { $count ->
    [one] damaged in { $count } place from { $at } on, bridged or silent there
   *[other] damaged in { $count } places from { $at } on, bridged or silent there
}
note-suspect = { $count ->
    [one] damaged in { $count } place from { $at } on, faults may be audible there
   *[other] damaged in { $count } places from { $at } on, faults may be audible there
}
note-implausible-blocks = implausible sound from { $at } on was replaced (blocks: { $count })
note-implausible-samples = implausible sound from { $at } on was silenced (samples: { $count })
note-more = and { $count } more
note-name-lost = the song's name was lost; add its file again
note-track-taken = track { $track } of { $count } ({ $label }) was taken; choose another with --track
note-all-exist = all files exist already
note-from-draft = made of a draft: standard and best sound better
note-exported-in-stereo = the song's { $channels } channels are folded down to stereo
note-below-loudness = the mix has { $lufs } LUFS: louder, its peaks would need the limiter
note-limited = the mix went through the limiter, and has { $lufs } LUFS
note-device-memory = the device { $device } ran out of memory; the processor took over, and the stems are not affected
note-device-not-numbers = the device { $device } gave NaN or infinite samples; the processor took over, and the stems are not affected
note-device-failed = the device { $device } failed; the processor took over, and the stems are not affected

# Texts that many places of the window and the command line share.

## Numbers, times and sizes
## Numbers in braces come with the marks of language.ftl.

percent = { NUMBER($percent) } %
decibels = { $number } dB
kilohertz = { $number } kHz
# A playback speed: 0.75 ×
speed = { $number } ×
# A change of pitch, in hundredths of a semitone: +15 ct
cents = { $number } ct
# Sizes on disk: a thousand bytes are a kilobyte.
size-bytes = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
}
size-kilobytes = { $number } KB
size-megabytes = { $number } MB
size-gigabytes = { $number } GB
size-terabytes = { $number } TB

# How long something will take.
duration-seconds = { NUMBER($seconds) } s
duration-minutes = { NUMBER($minutes) } min
duration-hours = { NUMBER($hours) } h { NUMBER($minutes, minimumIntegerDigits: 2) } min
# How long something took, after a word such as Done.
took-seconds = in { NUMBER($seconds) } s
took-minutes = in { NUMBER($minutes) } min { NUMBER($seconds, minimumIntegerDigits: 2) } s
took-hours = in { NUMBER($hours) } h { NUMBER($minutes, minimumIntegerDigits: 2) } min
# The time until a job is done.
left-seconds = { NUMBER($seconds) } s left
left-minutes = { NUMBER($minutes) } min { NUMBER($seconds, minimumIntegerDigits: 2) } left
left-hours = { NUMBER($hours) } h { NUMBER($minutes, minimumIntegerDigits: 2) } min left

## Counts and lists

files = { $count ->
    [one] { $count } file
   *[other] { $count } files
}
songs = { $count ->
    [one] { $count } song
   *[other] { $count } songs
}
jobs = { $count ->
    [one] { $count } job
   *[other] { $count } jobs
}
# The end of a list; $most are all but the last, with commas between them.
list-and = { $most } and { $last }
and-more = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
}

## Sound

unknown-artist = Unknown artist
mono = mono
channels = { $count ->
    [one] { $count } channel
   *[other] { $count } channels
}
# Bits of a sample: 16 bit
bits = { NUMBER($bits) } bit
float = 32-bit float
bpm = { $number } BPM
lufs = { $number } LUFS
# A musical key. $tonic is a note name: C, F#, Bb
key-minor = { $tonic } minor
key-major = { $tonic } major

## Instruments, within a sentence

stem-vocals = vocals
stem-drums = drums
stem-bass = bass
stem-other = other
stem-guitar = guitar
stem-piano = piano
stem-instrumental = instrumental
stem-kick = kick drum
stem-snare = snare
stem-toms = toms
stem-hihat = hi-hat
stem-ride = ride cymbal
stem-crash = crash cymbal
stem-cymbals = cymbals
stem-lead = lead
stem-backing = backing

## Buttons

cancel = Cancel
close = Close
dismiss = Dismiss
show = Show
    .tooltip = Show in the file manager

# Problems: why something failed and what to do about it. Log and JSON say the same in English; a test
# compares the two. Sentences begin with a small letter: some stand behind a colon.

## Files and disks. $cause is one of the messages os-…, or a text of the system.

problem-read = could not read { $path }: { $cause }
problem-write = could not write { $path }: { $cause }
problem-create = could not create { $path }: { $cause }
problem-remove = could not remove { $path }: { $cause }
problem-rename = could not rename { $path }: { $cause }
problem-restore = could not restore { $path }: { $cause }
problem-output = could not write { $path }: { $cause }; choose another folder
problem-no-room = could not write { $path }: { $needed } MB are needed, { $free } MB are free
problem-no-room-folder = could not write { $path }: { $needed } MB are needed, { $free } MB are free; choose another folder
problem-no-room-bits = could not write { $path }: { $needed } MB are needed, { $free } MB are free; choose another folder, or fewer bits
problem-no-room-own = could not write { $path }: { $needed } MB are needed, { $free } MB are free; free space on that disk
problem-stores = could not read the song's stores: { $cause }
problem-waveform = could not draw the waveform: { $cause }
problem-exists = { $count ->
    [one] a file exists already: { $files }
   *[other] files exist already: { $files }
}
problem-exists-unasked = { $count ->
    [one] a file exists already: { $files }; use --on-exists replace, number or skip
   *[other] files exist already: { $files }; use --on-exists replace, number or skip
}
problem-folder-unreadable = could not read this folder: { $cause }
problem-folder-empty = this folder is empty
problem-folder-no-song = this folder holds no song; { $left-out }
# Why a store of samples in the data folder cannot be used; stands for $cause above.
store-cut-off = it is cut off
store-foreign = it belongs to another song or model
store-removed = it was removed
store-missing = it is missing from the data folder; put it back, or add the song's file again
# The texts of Linux, with its numbers.
os-not-found = No such file or directory (os error { $number })
os-denied = Permission denied (os error { $number })
os-no-space = No space left on device (os error { $number })
os-read-only = Read-only file system (os error { $number })
os-gone = Input/output error (os error { $number })
os-stale = Stale file handle (os error { $number })
os-is-folder = Is a directory (os error { $number })
os-not-folder = Not a directory (os error { $number })
os-timed-out = Connection timed out (os error { $number })
os-refused = Connection refused (os error { $number })
os-no-network = Network is unreachable (os error { $number })
# Files that a search in a folder left out; $reasons are some of the following, with semicolons.
left-out = { $count } passed over ({ $reasons })
left-out-not-audio = { $count } not audio by name
left-out-own = { $count } made by Partita
left-out-hidden = { $count } hidden by name
left-out-not-files = { $count } broken links or devices
left-out-unreadable = { $count } that could not be read

## Library and data folder

problem-library = could not read or write the library: { $cause }
problem-open-library = could not open the library { $path }: { $cause } (is the disk full, or the folder read-only?)
problem-newer-library = the library was written by a newer Partita (version { $version } of its layout); update this one
problem-library-rebuilt = { $songs ->
    [one] the library was damaged and was renamed to { $path }; { $songs } song was restored with its stems, without its jobs
   *[other] the library was damaged and was renamed to { $path }; { $songs } songs were restored with their stems, without their jobs
}
problem-home-gone = the data folder { $path } is gone; put it back to resume; changes until then are lost
problem-home-unwritable = the data folder { $path } cannot be written: { $cause }; change its permissions, or name another folder in PARTITA_HOME
problem-no-home = the system names no data folder; set PARTITA_HOME to one
problem-outside-home = { $path } is a link out of the data folder, to { $target }; its files were left alone
problem-settings-unreadable = could not read { $path }: { $cause }; the defaults are used
problem-settings-set-aside = the settings are invalid ({ $fault }); the file was renamed to { $path }, and the defaults are used
problem-settings-invalid = { $path } is invalid ({ $fault }) and could not be renamed ({ $cause }); the defaults are used
problem-settings-unwritable = could not write the settings: { $fault }
settings-fault-large = they are larger than 1 MB
settings-fault-not-a-file = they are not a file
problem-unknown-song = the library has no song { $id }
problem-no-such-song = the library has no song "{ $name }"; it has: { $songs }
problem-no-songs = the library has no song "{ $name }": it is empty; add one with `partita add FILE`
problem-several-songs = "{ $name }" fits several songs: { $songs }; use the number
problem-unknown-job = the library has no job { $id }; it has: { $known }
problem-unknown-job-none = the library has no job { $id }; it has: none
problem-job-unreadable = the job's state is damaged: { $detail }
problem-song-removed = the song was removed from the library meanwhile
problem-not-restorable = this song can no longer be restored: its disk space was reclaimed; import the file again
problem-too-many-imports = too many imports are waiting; try again later
# Some names, and how many others there are.
problem-names-more = { $names }, and { $count } more

## Separating

problem-no-model = no model is installed; install it first (`partita model install`)
problem-model-missing = the model { $model } is not installed; install it first (`partita model install`)
problem-own-model-missing = the model { $model } is not installed; import the file that it came from again
problem-no-network = the model { $model } has no network
problem-model-busy = a model is being installed already
problem-opened-without-model = the song was opened without a model
problem-unknown-stem = the model has no stem "{ $stem }"; it has: { $known }
problem-not-separated = the song is not completely separated yet; process it first
problem-locked = another Partita is separating this song; this one waits until it has finished
problem-no-fast-precision = the fast precision needs a processor that multiplies bf16 (AVX-512 BF16); choose the single precision
problem-memory-limit = this model needs { $needed } MB of memory; the limit is { $limit } MB; raise it, in the settings or by --memory
problem-not-numbers = the model produced NaN or infinite samples in segment { $segment }; the weights may be corrupt: run `partita model verify`
problem-paused = { MEDIUM() ->
    [command-line] the song is paused, because the disk cannot be written: { $cause }; then resume it with `partita process`
   *[window] paused until the disk can be written: { $cause }
}
problem-loudness = could not measure the loudness: { $cause }
problem-elsewhere = { $host } is working on it
problem-unseen-songs = could not read { $count } songs from this machine (line { $line }: { $first }), so the shares cannot be dealt out; put the lengths into the manifest (partita probe), or mend this machine's view

## Exports and sound

problem-nothing-chosen = nothing is chosen to be exported
problem-stem-index = the song has no stem { $stem }; it has { $stems } stems
problem-same-path = two files would be written to { $path }
problem-depth = { $format } keeps { $bits } bits; choose one of these, or WAV
# Between numbers: 16 or 24
problem-or = { $first } or { $second }
problem-source-needed = { $path } was removed or changed: exports of the original at the song's own rate need it; put it back, or choose { $rate } Hz
problem-dj-stem = stems for DJs need drums, bass, other and vocals; this model has no { $stem }
pattern-empty = expected a name, such as {"{"}title{"}"} ({"{"}stem{"}"})
pattern-unmatched-brace = unmatched brace
pattern-unknown-field = unknown field {"{"}{ $field }{"}"}; expected one of: { $known }
device-none = this computer has no sound device
device-cannot-open = could not open { $device }: { $cause }
device-no-format = { $device } takes no format that this program can give
problem-manifest = { $path }: { $detail }
problem-no-share = could not read { $path }: no share was begun there

## The program

problem-no-thread = could not start a thread: { $cause }
problem-thread-ended = a thread has ended; start Partita again
problem-internal = internal error while { $doing }: { $cause }. Please save a report (Settings, or `partita doctor --report`) and send it
problem-cancelled = cancelled
# Stand for $doing.
doing-analysing = analysing a song
doing-drawing = drawing the waveform
doing-engine = running the engine
doing-importing = importing a file
doing-installing = installing the model
doing-loading = loading the model
doing-playing = playing
doing-reading-file = reading the file
doing-reading-song = reading the song's file
doing-separating = separating this song
doing-writing-files = writing the files
doing-writing-report = writing the report

problem-chain = the chain { $path } cannot be used: { $fault }
problem-unknown-chain = no model or chain is called "{ $name }"; the chains are: { $known }
problem-missing-network = no installed model makes the stem "{ $stem }"; import a model that makes: { $makes }
problem-missing-chain-model = the stem "{ $stem }" needs the model { $model }, which is not installed; import it

chain-not-a-chain = it is not a file of at most 1 MB
chain-count = it must have 1 to { $steps } steps and 1 to { $stems } stems
chain-name = the name "{ $name }" is reserved, too long, or not allowed in file names
chain-twice = the name "{ $name }" is used twice
chain-model = "{ $name }" is the name of a model
chain-network = the step "{ $step }" must name the stems that its network makes (makes = …), and a digest must have at least 16 hexadecimal digits
chain-lone-rest = the stem "{ $stem }" is a rest, but its branch has no other stem
chain-no-step = it has no step "{ $step }"
chain-no-stem = it has no stem "{ $stem }"
chain-order = the step "{ $step }" reads the stem "{ $stem }", which no earlier step makes
chain-no-source = the stem "{ $stem }" must either come from steps (from = …) or be the rest of its branch (rest = true)
chain-circle = the stem "{ $stem }" is a part of itself
chain-two-rests = the branch of the stem "{ $stem }" has two rests
chain-minus-rest = the stem "{ $stem }" is a rest, which cannot be subtracted; subtract the other stems of its branch from their parent
chain-weight = a weight of the stem "{ $stem }" is not a number above 0
chain-no-output = the network of the step "{ $step }" does not make "{ $output }"; it makes: { $known }

# The export dialog, and the cards that show exports.

export-title = Export “{ $title }”
export-go = Export

## What to export

export-content = Content
export-mix = Mix as heard
export-mix-note = With the current faders, mutes and solos
export-stems = Selected stems
export-stems-none = No instrument is selected
export-stems-one-file = All in one file: { $stems }
export-stems-each = One file each: { $stems }
export-all-but = All but…
export-all-but-note = The song minus the stem; sound outside the stems is kept
export-dj = The whole song and its four stems
export-dj-note = In one file, for DJ programs

## Format

export-format = Format
export-format-dj = Stems for DJs
export-format-daw = DAW session
export-quality = Quality
export-depth = Bit depth
export-rate = Sample rate
export-same-as-song = Same as song
export-lossy = Small files with little audible loss
export-lossy-at = Small files with little audible loss, at { $rate }
export-loudness = Loudness
export-loudness-unchanged = Unchanged
export-loudness-field = Loudness in LUFS
export-loudness-invalid = Expected a loudness from −70 to 0
export-key-speed = Key, speed
# $change is the key in semitones and the speed: "+2, 0.90 ×"
export-as-heard = As heard: { $change }
export-as-heard-note = The files add up to the song in this key and speed, no longer to the original
export-limiter = Limiter
export-limiter-note = Limits single loud peaks instead of turning everything down

## Residual

export-also = Include
export-residual = Residual: everything outside the stems
export-residual-all-but = The song minus all of its stems
export-residual-lossy-files = With all stems, the files add up to the song
export-residual-lossy-tracks = With all stems, the tracks add up to the song
export-residual-select-files = With all stems selected, the files add up to the song exactly
export-residual-select-tracks = With all stems selected, the tracks add up to the song exactly
export-residual-files = The files add up to the song exactly
export-residual-tracks = The tracks add up to the song exactly

## Files

export-folder = Folder
export-choose-folder = Choose…
export-if-exists = If it exists
export-ask = Ask
export-keep-both = Keep both
export-replace = Replace
export-skip = Skip
export-names = Names
export-pattern = File name pattern
export-nothing-heard = Nothing is audible: everything is muted or turned down

## Placeholders in a file name pattern

export-field-artist = The artist
export-field-title = The song's title
export-field-album = The album
export-field-track = The song's number on the album
export-field-stem = The file's content: vocals, mix, residual
export-field-model = The model used
export-field-number = The file's number in this export
export-field-file = The name of the song's own file
export-field-other = A property of the song

## Cards

card-exporting = Exporting “{ $title }”…
card-done = Done: { $file }
# $files is a count: 4 files
card-done-files = Done: { $files } of “{ $title }”
card-nothing-written = Nothing was written for “{ $title }”
card-in-folder = In { $folder }
# $gain is −1.2 dB, or the text of card-gain-small.
card-gain-loudness = { $gain } on all files, for the loudness
card-gain-clipping = { $gain } on all files, to avoid clipping
card-gain-small = Less than 0.1 dB
card-exists = { $count ->
    [one] “{ $title }”: { $count } file already exists
   *[other] “{ $title }”: { $count } files already exist
}
card-failed = “{ $title }” was not exported
card-cancelled = Cancelled
card-cancel = Cancel export

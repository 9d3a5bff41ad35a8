# The settings, the model's card, and the questions before something that cannot be undone.

settings-title = Settings

## Window

settings-language = Language
settings-system = System default
settings-theme = Theme
settings-light = Light
settings-dark = Dark
settings-zoom = Interface size
settings-output = Sound device
settings-output-note = While it is missing, the system's default device is used

## Computing

settings-threads = Threads
settings-threads-all = All ({ NUMBER($count) })
settings-threads-note = Fewer threads leave more for other programs; a running job changes at once
settings-memory = Memory
settings-memory-unlimited = No limit
settings-memory-least = The model needs at least { $least }; near that, fewer threads are used
settings-memory-unknown = The minimum is known once the model is installed
settings-device = Computed by
settings-device-auto = Automatic
settings-device-processor = Processor
settings-device-note = Automatic measures the graphics card once for each model, and takes it if it is right and quicker
settings-precision = Precision
settings-single = Single
    .note = Full precision
settings-fast = Fast
    .note = Faster, with noise about 50 dB below the stems
settings-fast-missing = Fast needs a processor that multiplies bf16; this one does not
settings-by-flag = Set on the command line for this run

## Models

settings-ticks = New songs
settings-ticks-note = The instruments selected in newly added songs
settings-ticks-later = Install the model to choose instruments
settings-mirror = Mirror
settings-mirror-note = Address tried before the models' publishers; files are used only if their digests match
settings-models-note = Stems of other models stay until they are cleared
settings-used = Used for new songs
settings-use = Use for new songs
settings-install = Install… ({ $size })
settings-accept = Accept and install
settings-verify = Verify
settings-verified = All files are intact
settings-remove-model = Remove
settings-stop = Stop
settings-not-installed = Not installed, { $size }
settings-partly-installed = { NUMBER($installed) } of { NUMBER($all) } parts installed
settings-installed = Installed, { $size }
# $reason goes on after the word it: has the wrong size
settings-damaged = Damaged: it { $reason }
settings-own-model = Your own model
settings-other-model = Another model
settings-about-default = Good at everything, in one pass
settings-about-specialists = A specialist for each stem: slightly better, but each instrument takes its own time
settings-about-six = Adds guitar and piano; the piano is weak
settings-about-kim = Vocals and instrumental, clearly better than the others, at about 14 times the work
settings-choose-file = Choose a file…

## Chains of networks

settings-chains = Your chains
settings-chains-note = A chain separates in steps: a network reads the song, or a stem of an earlier step
settings-new-chain = New chain…
settings-import-chain = Import a chain…
settings-edit-chain = Edit…
settings-copy-chain = Duplicate…
settings-chain-unusable = No installed model fits
# $makes and $stems: kick, snare and toms
settings-chain-lacks = Needs a model that makes { $makes } (for { $stems })

## Data

settings-home = Data folder
settings-measuring = calculating…
settings-sizes = { $all }, of which { $stems } are stems
settings-clear = Clear stems…
settings-reset = Reset everything…
settings-report = Save a report…
    .tooltip = For bug reports: this computer, the settings, measurements and errors; no paths, no song names
settings-report-saved = Report saved: { $path }

## Questions

question-reset = Reset everything?
# $what are counts: 3 songs and 2 jobs
question-reset-text = This removes { $what } from the library and deletes all stems ({ $size }). Your own files, the model and the settings stay. It cannot be undone.
question-reset-go = Delete everything
question-clear = Clear the stems of all songs?
question-clear-text = This deletes { $size } of stems and cancels the jobs that make more. The songs stay in the library and can be processed again. It cannot be undone.
question-clear-go = Delete stems
question-keep = Cancel

## A checkpoint that does not state everything about its network

# $kind: Mel-Band RoFormer
facts-title = { $kind }: what the file does not say
facts-text = { $file } does not state this. Its publisher's YAML does: put it beside the file, or copy the values from it. A wrong hop sounds plausible, but worse.
facts-hop = Hop, in frames
facts-chunk = Segment, in frames or seconds
# Beside the segment in frames, and on the button that fills it in.
facts-seconds = { $seconds } s
facts-stems = { $count ->
    [one] Name of its stem
   *[other] Names of its { $count } stems, separated by commas
}
facts-rest = Name of the rest of the song
facts-import = Import
facts-running = Importing…
# Why the file cannot be imported yet.
facts-lack-hop = State the hop
facts-wrong-hop = The hop is a whole number of frames, such as { $usual }
facts-lack-chunk = State the segment
facts-wrong-chunk = The segment is in frames or seconds, such as { $usual } or 8 s
facts-lack-name = State the name of the stem
facts-lack-names = { $count ->
    [one] { $count } name is needed, { NUMBER($given) } are given
   *[other] { $count } names are needed, { NUMBER($given) } are given
}

## The model's card

model-failed = The model cannot be used
model-missing = The model is not installed yet
model-installing = Installing the model

## The form for a chain

editor-title = Chain of networks
editor-name = Name
editor-about = Description
editor-steps = Steps
editor-steps-note = Each step runs a network on the song or on a stem of an earlier step
editor-stems = Stems
editor-stems-note = Parts of a stem add up to it: what they leave is their rest
editor-save = Save
editor-no-name = Name the chain
editor-taken-name = A model, or a chain that comes with Partita, has this name
# $number counts the steps or the stems.
editor-step = Step { NUMBER($number) }
editor-stem = Stem { NUMBER($number) }
# In the accessible names below, $item is Step 2, Stem 3, or an output of one.
editor-name-of = { $item }: name
editor-up = Move up: { $item }
editor-down = Move down: { $item }
editor-remove = Remove: { $item }
editor-network = { $item }: network
editor-network-label = Network
editor-any-network = Any that makes…
editor-makes = { $item }: stems that the network makes
editor-input = { $item }: input
editor-input-label = Separates
# The song as the input of a step, or as the whole of a stem.
editor-song = The song
editor-minus = { $item }: without { $stem }
editor-minus-label = Without
editor-add-step = Add a step
editor-whole = { $item }: part of
editor-whole-label = Part of
editor-source = { $item }: made from
editor-source-label = Made from
editor-from-steps = Outputs of steps
editor-from-rest = What is left
editor-output = { $item }, output { NUMBER($number) }
editor-output-hint = vocals
editor-step-of = { $item }: step
editor-weight = { $item }: weight
editor-weight-hint = weight
editor-add-output = Add an output
editor-add-stem = Add a stem
# How several outputs become one stem, by samples or by spectrogram.
editor-combine = { $item }: combination
editor-avg-wave = Average of the samples
editor-sum-wave = Sum of the samples
editor-median-wave = Median of the samples
editor-min-wave = Quietest sample
editor-max-wave = Loudest sample
editor-avg-fft = Average of the spectra
editor-median-fft = Median of the spectra
editor-min-fft = Quietest bin of the spectra
editor-max-fft = Loudest bin of the spectra

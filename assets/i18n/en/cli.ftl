# The command line: results in a terminal, progress, and questions. Names of commands and options stay
# as they are. With --json all of it is English.

## Songs and jobs

cli-no-songs = the library is empty; add a song with `partita add FILE`
cli-no-jobs = no jobs; start one with `partita process SONG`
cli-not-processed = not processed
cli-no-progress = "{ $title }" was not processed yet; run `partita process { $id }`
# $stems are names: drums, vocals
cli-job-done = done: { $stems }
cli-job-waiting = waiting at { $percent }
cli-job-running = at { $percent }
cli-job-paused = paused at { $percent }
cli-job-failed = failed: { $reason }
cli-job-cancelled = cancelled at { $percent }
cli-job-title = job { $id }: { $title }
cli-job-model = model: { $model }
cli-job-stems = stems: { $stems }
cli-job-state = state: { $state }
cli-job-segments = segments: { NUMBER($done) } of { NUMBER($total) }
cli-job-computed = computing time: { $seconds } s

## Separating and writing

# The progress of a job; $stems are names: drums, vocals
cli-separating = separating { $stems }
cli-writing = writing
cli-reading = reading
cli-separating-song = separating
# After the progress bar; $time: 1:05
cli-time-left = { $time } left
cli-turned-down = { $song }: all files were turned down by { $db } dB
cli-turned-up = { $song }: all files were turned up by { $db } dB
cli-tracks-turned-down = all tracks were turned down by { $db } dB to avoid clipping
# Keep the letters in brackets: they are what is typed.
cli-ask-exists = [r]eplace, [n]umber, [s]kip, [c]ancel?
cli-cancelled = cancelled; { $file } was not finished
cli-mix-needed = --loudness and --limiter apply to the mix; add --mix
cli-gain-unmixed = --gain { $stem } has no effect: the mix is of the chosen stems ({ $mixed }); leave it out, or name { $stem } in --stems
cli-no-shifts = the model "{ $name }" allows no shifts; leave --shifts out
cli-overlap-range = the model "{ $name }" allows an overlap of { $least } to { $most }; change --overlap
cli-segment-length = the model "{ $name }" requires segments of { $seconds } s, as in its training; leave --segment out
cli-model-not-installed = the model "{ $name }" is not installed; `partita model list` lists the models, `partita model install { $name }` installs it
cli-output-failed = could not write to standard output: { $error }; send it elsewhere and run the command again
cli-engine-ended = the engine has ended

## Archives

cli-repeated-line = line { $line } repeats line { $first }
# A problem with a line of a manifest.
cli-line = line { $line }: { $text }
cli-manifest-exists = with a manifest, --on-exists must be ask, which lists the song as failed, or replace
cli-threads-given = { $count ->
    [one] { $count } thread (as requested)
   *[other] { $count } threads (as requested)
}
# $origin: SLURM_CPUS_PER_TASK, or another origin in English
cli-threads-found = { $count ->
    [one] { $count } thread (from { $origin })
   *[other] { $count } threads (from { $origin })
}
cli-memory-given = { NUMBER($megabytes) } MB of memory (as requested)
cli-memory-found = { NUMBER($megabytes) } MB of memory (from { $origin })
cli-memory-unlimited = memory without a limit
cli-elsewhere = { $song }: { $host } is working on it
cli-song-done = { $song }: done in { $seconds } s
cli-song-failed = line { $line }: { $song }: { $reason }
cli-song-failed-for-now = line { $line }: { $song }: { $reason } (may succeed later)
cli-share-ended = share { $share }: { NUMBER($done) } of { NUMBER($songs) } songs done ({ NUMBER($skipped) } of them before), { NUMBER($failed) } failed, { NUMBER($temporary) } failed for now, { NUMBER($left) } left
cli-served = a server uses this library; its page is { $url }
cli-no-window = the window could not be opened: { $cause }; the command line does the same without one (`partita separate --help`)
cli-share-stopped = stopped by { $reason }; run it again to continue
cli-stop-signal = a signal
cli-failures-listed = failures are listed in { $file }

## partita report

cli-report-songs = { NUMBER($songs) } songs: { NUMBER($done) } done, { NUMBER($failed) } failed, { NUMBER($temporary) } failed for now, { NUMBER($remaining) } remain
cli-report-hours = { $done } of { $all } hours of music; { NUMBER($files) } files, { $size }
cli-report-speed = running: { $times } × real time
cli-report-ends = the running shares end in about { $time }
cli-report-share = { $share }  { $state }  { NUMBER($done) } of { NUMBER($songs) } done, { NUMBER($failed) } failed, × { $times }  { $host }
cli-share-running = running
cli-share-silent = silent
cli-share-finished = ended
cli-share-interrupted = stopped
cli-report-not-started = not started: { $shares }
cli-report-disagree = the nodes read different lengths, so a song may be in no share: put the lengths into the manifest (`partita probe`)
cli-report-incomplete = incomplete: { $file }
cli-report-failed = failed: { $file }: { $reason }

## partita reset

# $songs and $jobs are counts: 3 songs, 1 job
cli-reset-ask = Delete { $songs } and { $jobs } with their stems? Your own files stay. [y/N]
# Accepted answers that mean yes, in lower case.
cli-reset-yes = y yes
cli-reset-kept = nothing was deleted
cli-reset-confirm = this deletes { $songs } and { $jobs } with their stems; confirm with --yes
cli-reset-done = deleted { $songs } and { $jobs }; your own files are untouched

## partita model

cli-model-own = your own
cli-model-missing = not installed
cli-model-installed = installed ({ $size })
cli-model-damaged = damaged: it { $reason }
cli-model-unusable = unusable: { $reason }
cli-model-removed = removed; its stems are kept
cli-model-cancelled = cancelled; nothing was installed
cli-install-cancelled = cancelled; { $name } was not installed; run the command again to resume the download
cli-no-model-installed = no model is installed; run `partita model install`
cli-no-model = this build knows no model
cli-model-correct = correct
cli-model-already = { $name } is installed already
cli-model-numbered = another model is called { $taken }; this one is installed as { $name }
# Parts of a line such as: Mel-Band RoFormer, 384 × 6, 60 bands, 1 stem: vocals; the rest: other; segments of 8 s
cli-model-bands = { $count ->
    [one] { $count } band
   *[other] { $count } bands
}
cli-model-stems = { $count ->
    [one] { $count } stem: { $names }
   *[other] { $count } stems: { $names }
}
cli-model-rest = the rest: { $name }
cli-model-segments = segments of { $seconds } s
cli-test-passed = passed: { $db } dB from PyTorch; the minimum is { $least } dB
cli-test-failed = FAILED: { $db } dB from PyTorch; the minimum is { $least } dB
cli-test-unknown = { $file }: no reference results are known for these weights
cli-step-of = { $step }: { $done } of { $total }
cli-step-done = { $step }: { $done }

## partita doctor

cli-measuring = measuring for a few seconds
cli-report-saved = report saved: { $file }
cli-doctor-processor = processor: { $name }
cli-doctor-features = features: { $names }
cli-doctor-threads = threads: { NUMBER($count) }
cli-doctor-memory = memory: { $free } of { $all } free
cli-doctor-sound = sound: { $names }
cli-doctor-cards = graphics cards: { $names }
cli-doctor-no-cards = graphics cards: none
cli-doctor-card = { $device } ({ $name }; { $free } free)
# $choice is what the user has chosen, such as auto.
cli-doctor-device = computed by: { $device } (chosen: { $choice })
cli-doctor-device-taken = { $device } with { $model }: taken; { $db } dB from the processor (at least { $least } dB), { $seconds } s per segment; the processor: { $processor } s
cli-doctor-device-not-taken = { $device } with { $model }: not taken; { $db } dB from the processor (at least { $least } dB), { $seconds } s per segment; the processor: { $processor } s
cli-doctor-model = model: { $state }
cli-doctor-installed = { $model } is installed ({ $stems })
cli-doctor-missing = { $model } is not installed; see `partita model install`
cli-doctor-speed = speed: { $seconds } s per segment, { $times } × real time
cli-doctor-speed-unknown = speed: not measured yet (doctor --measure)
cli-doctor-home = data folder: { $folder } ({ $size }; { $free } free on its disk)
# An empty list.
cli-none = none

# What separating a song takes, before it begins.
cli-needs = { $model }: about { $time }, { $memory } of memory, { $disk } on disk
cli-needs-timeless = { $model }: { $memory } of memory, { $disk } on disk
cli-abandoned = the work of an earlier run, which was ended before it was done, was removed; with --resume a run keeps its work, and the next one goes on with it
cli-chain-numbers = { $name } is a chain of several networks: choose --quality instead of --overlap, --shifts, --seed and --segment
cli-chain-unusable = no network of it is installed
cli-chain-rest = what is left
cli-chain-missing = { $name }: { $stems } need a model that makes: { $makes }
cli-chain-is-a-file = songs of the library keep the name of their chain; import the file first: `partita chain import { $file }`
cli-chain-lacks-model = { $name }: { $stems } need the model { $model }, which is not installed

# A song in the middle of the window: its head, its lanes, and the transport below.

## What to do with the song

song-separated = Separated
song-separated-into = { $count ->
    [one] Separated into { $count } stem
   *[other] Separated into { $count } stems
}
song-is-draft = Separated as a draft
song-continue = Continue
song-select-first = Select an instrument first
song-partly-done = { $percent } already done
song-takes-about = Takes about { $time } and { $disk } of disk space
song-needs-disk = Needs { $disk } of disk space

## While it is being separated

song-next-in-queue = Next in queue
song-after-others = { $count ->
    [one] { $count } song ahead
   *[other] { $count } songs ahead
}
song-waiting = Waiting
song-separating = Separating { $stems }…
song-estimating = estimating the time
# The speed of the separation: 1.8 × real time
song-real-time = { $times } × real time
song-stems-play = Stems play as soon as they are ready
song-segments = segment { NUMBER($done) } of { NUMBER($total) }
song-drafting = draft { $percent }
song-refined = refined { $percent }
song-pause = Pause processing
    .tooltip = Finished parts are kept

## Instruments

song-all = All
song-karaoke = Karaoke
song-drumless = Drumless
song-vocals-only = Vocals only
song-drums-and-bass = Drums and bass
# A stem within another: Lead, part of Vocals
song-part-of = { $stem }, part of { $whole }
# A part without a name of its own: what the other parts of its instrument leave.
song-rest = Rest
# $stem: Vocals
song-show-parts = Show the parts of { $stem }
song-hide-parts = Hide the parts of { $stem }
song-show-lanes = Unfold { $stem }
song-hide-lanes = Fold { $stem }
# $stems: kick, snare and toms
song-needs-model = needs a model that makes { $stems }

## Model and quality

song-model = Model
song-quality = Quality
song-quality-draft = Draft
song-quality-standard = Standard
song-quality-best = Best
song-quality-custom = Custom
song-draft-first = Draft first
    .tooltip = Hear a quick draft at once; better stems replace it during playback
song-piano-is-weak = This model separates the piano poorly
song-versions = { $count ->
    [one] { $count } version
   *[other] { $count } versions
}

## The song's sound

song-audio-track = Audio track { NUMBER($track) } of { NUMBER($count) }
    .tooltip = The file has several audio tracks; choosing another one adds it as a song
song-tempo = Tempo
song-key = Key
# $what is Tempo or Key.
song-from-tags = { $what }: from the file's tags
song-from-sound = { $what }: detected in the audio

## Lanes

lane-position = Position
lane-original = Original
lane-original-heard = playing
lane-original-compare = hold O to compare
lane-original-wave = Waveform of the original
lane-wave = Waveform of { $stem }
lane-drag-hint = Drag to a folder or a DAW
lane-preparing = Preparing { $stem }…
lane-mute = Mute { $stem }
lane-solo = Solo { $stem }
lane-gain = Gain { $stem }
lane-pan = Pan { $stem }
lane-level = Level of { $stem } in dB
lane-pan-left = { $percent } left
lane-pan-right = { $percent } right
lane-pan-center = center
# The song minus all stems.
lane-residual = Residual
lane-residual-note = everything outside the stems
lane-muted = muted
lane-loop = Loop { $times }
lane-loop-start = Loop start
lane-loop-end = Loop end
lane-scroll = Scroll the waveforms
lane-select-to-hear = Select an instrument to see and hear it
lane-select-and-process = Select the instruments you want, then press Process; each gets a lane here

## Transport

transport-play = Play
transport-pause = Pause
transport-mix = Mix
transport-original = Original
transport-volume = Volume
transport-speed = Speed
transport-key = Key
transport-cents = Cents
transport-level = Level in dB
transport-no-sound = No sound
transport-no-device = No sound device: { $reason }
transport-export-later = Available when the whole song is separated
transport-process-first = Process the song first

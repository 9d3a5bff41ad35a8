# The commands of the window: the text on the button, which is also the control's accessible name,
# and a tooltip of one sentence without a full stop.

## Playback

action-play-pause = Play or pause
    .tooltip = Play or pause
action-back = Back
    .tooltip = Five seconds back
action-forward = Forward
    .tooltip = Five seconds forward
action-to-start = Go to start
    .tooltip = Go to the start of the song
action-to-end = Go to end
    .tooltip = Go to the end of the song
action-stop = Stop playback
    .tooltip = Stop, and return to where playback began
action-toggle-loop = Loop
    .tooltip = Turn the loop on or off
action-clear-loop = Clear loop
    .tooltip = Remove the loop markers
action-loop-from = Set loop start
    .tooltip = Start the loop at the playhead
action-loop-to = Set loop end
    .tooltip = End the loop at the playhead
action-slower = Slower
    .tooltip = Play more slowly at the same pitch
action-faster = Faster
    .tooltip = Play faster at the same pitch
action-key-down = Lower key
    .tooltip = Play a semitone lower at the same speed
action-key-up = Higher key
    .tooltip = Play a semitone higher at the same speed
action-cents-down = Tune down
    .tooltip = Play 5 cents lower at the same speed
action-cents-up = Tune up
    .tooltip = Play 5 cents higher at the same speed
action-quieter = Quieter
    .tooltip = Turn the volume down
action-louder = Louder
    .tooltip = Turn the volume up

## Lanes and view

action-compare = Original
    .tooltip = Hear the original; hold the key to compare
action-next-version = Next version
    .tooltip = Show the next version of the stems
action-solo = Solo
    .tooltip = Hear only this lane
action-mute = Mute
    .tooltip = Silence this lane
action-zoom-in = Zoom in
    .tooltip = Zoom in on the waveforms
action-zoom-out = Zoom out
    .tooltip = Zoom out of the waveforms
action-whole-song = Whole song
    .tooltip = Show the whole song
action-page-back = Scroll back
    .tooltip = Scroll the waveforms back
action-page-forward = Scroll forward
    .tooltip = Scroll the waveforms forward

## Songs and jobs

action-previous-song = Previous song
    .tooltip = Select the song above
action-next-song = Next song
    .tooltip = Select the song below
action-add-files = Choose files…
    .tooltip = Add songs to the library
action-add-folder = Choose a folder…
    .tooltip = Add the songs of a folder
action-search = Search
    .tooltip = Search the library
action-rename = Rename
    .tooltip = Change the song's title; the file stays the same
action-select-all = Select all songs
    .tooltip = Select all listed songs
action-undo = Undo
    .tooltip = Restore the songs removed last
action-process = Process
    .tooltip = Separate the song into its instruments
action-cancel-job = Cancel
    .tooltip = Stop; finished parts are kept
action-export = Export…
    .tooltip = Write the mix or the stems to files
action-open-jobs = Jobs
    .tooltip = Show all jobs and their results

## Model and window

action-install-model = Install
    .tooltip = Download the model under these terms
action-choose-model = Choose a file…
    .tooltip = Use a model file that you have
action-cancel-install = Stop
    .tooltip = Stop the download; what has arrived is kept
action-open-settings = Settings
    .tooltip = Open the settings
action-toggle-theme = Dark or light
    .tooltip = Switch between dark and light
action-fold-library = Collapse library
    .tooltip = Collapse or show the library
action-help = Shortcuts
    .tooltip = List all shortcuts

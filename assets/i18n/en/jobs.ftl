# The page of jobs. A job separates one song.

job-title = Jobs
job-none = No jobs yet
    .hint = Songs that you process are listed here with their results
job-clear-all = Clear finished
    .tooltip = Remove all finished jobs from the list; their stems are kept

## States

job-running = Running, { $percent }
job-next = Next
job-waiting = { $count ->
    [one] Waiting, { $count } job ahead
   *[other] Waiting, { $count } jobs ahead
}
job-paused = Paused at { $percent }
# $took: in 1 min 05 s
job-done = Done { $took }
# A job that had nothing to compute.
job-done-before = Done
job-failed = Failed: { $reason }
job-cancelled = Cancelled at { $percent }

## Buttons of a row

# Accessible name of a button: Pause: Song title
job-button = { $action }: { $title }
job-pause = Pause
job-continue = Continue
job-cancel = Cancel
job-retry = Retry
job-clear = Clear
job-files = Files
    .tooltip = Show the stems and their mix as files
job-up = Move up
job-down = Move down
job-move-hint = Drag, or press Alt with an arrow key

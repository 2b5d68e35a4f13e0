/** The manual of `npm run bench`. Plain JavaScript, because it must be shown before anything is installed or built. */
export const manual = `Usage: npm run bench -- [options]

Boots PostgreSQL, Redis, workers and a fake SES on this machine and measures the send engine beside named baselines, which
run in turns with it in the same run. Prints a table with the targets beside the values and the CPU per message, process by
process. Nothing else should run on the machine; the run says so when something does. A whole run takes up to 25 minutes on two
cores, a measure alone between half a minute and eight; the first line says how long what is asked for takes.

  --only B1,B7       only these measures (B1 to B14, B16 and B17, see bench/README.md)
  --seconds N        length of one measured slice, 2 to 600 (default 8)
  --slices N         slices of each arm, in turns, 1 to 20 (default 3); the median is reported, with least and most
  --long             full lengths: kills 10 min, soak 1 h, snapshot held 1 h, 10 million rows
  --json             print one JSON object as the last line of the output; everything else goes to stderr
  --write-results    write bench/RESULTS.md from this run, which must be a whole one
  --seed N           seed of the latencies and of the kills (default 1)
  --data FOLDER      work there instead of in .data/bench: an empty or new folder, or one of an earlier run, whose
                     data is deleted first; one with anything else in it is refused
  --help             show this

Exit code 1 when a measure could not be taken, 2 when an option is wrong, 130 when it was interrupted: then it shows what was
measured until then. A missed target is said and is no failure.
`;

export const manual = `Usage: npm run simulate -- [options]

Plays the whole send engine on a virtual clock, with faults drawn from a seed, and judges it by what a simulated SES
saw. The same seed plays the same run. docs/simulation.md explains rules and faults. 200 seeds take one to two minutes, the
month two to three; on a busy machine longer, with the same result.

  --seeds N         how many seeds (default 200)
  --from S          the first of them (default 1)
  --seed S          one seed alone
  --trace           with --seed: print everything that happens
  --broken WAY      break the engine on purpose, to see that it is caught: frees-early, refunds-twice, ignores-cuts,
                    ignores-caps, forgets-tenants, trusts-silence
  --broken-ledger   the same as --broken frees-early
  --b3              a month at the daily quota instead, with workers killed all the time
  --days N          with --b3: days (default 30)
  --workers N       with --b3: worker processes (default 8)
  --json            one JSON object as the last line of the output; everything else goes to stderr
  --help            this text

Exit code 1 when a rule was broken, 2 when an option is wrong. A seed that broke one is printed with the command that plays it again.
`;

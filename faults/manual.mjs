/** The manual of `npm run faults`. Plain JavaScript, because it must be shown before anything is installed or built. */
export const manual = `Usage: npm run faults -- [options]

Boots PostgreSQL, Redis, the AWS simulator, the api and workers on this machine, breaks them one way after the other while
mail is being sent, and judges each time by the simulator's own arrival log and the database: nothing lost, nothing sent
twice, nothing over quota or rate. Nothing else should run on the machine; the run says so when something does. All of them
take about 18 minutes.

  --list           name every fault and say what it does
  --only A,B       only these
  --workers N      worker processes, 1 to 4 (default 1)
  --redis KIND     single (default) or cluster: three masters, faults then hit one of them
  --redis-cluster  the same as --redis cluster, as npm start calls it
  --seed N         seed of everything random, 0 to 2147483647 (default 1)
  --json           print one JSON object as the last line of the output; everything else goes to stderr
  --data FOLDER    work there instead of in .data/faults: an empty or new folder, or one of an earlier run, whose
                   data is deleted first; one with anything else in it is refused
  --help           show this

Exit code 1 when a fault did more harm than docs/faults.md allows, or could not be injected; 2 when an option is wrong;
130 when it was interrupted.
`;

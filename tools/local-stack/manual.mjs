/** The manual of `npm start`. Plain JavaScript, because it must be shown before anything is installed or built. */
export const manual = `Usage: npm start -- [options]

Boots PostgreSQL, Redis, the AWS simulator, the api and the worker on this machine, migrates, seeds the fleet,
runs the demo day and stays up. Everything it keeps is in the folder .data; Ctrl-C stops every process. While it stays up, an
api or a worker that dies is started again, as in an installation: kill one and see.

  --once           exit after the summary instead of staying up
  --json           print one JSON object as the last line of the output; everything else goes to stderr
  --messages N     messages of the demo day, 1 to 1000000 (default 10200, so that over 10000 are sent)
  --seed N         seed of everything random in the demo and the simulator, 0 to 2147483647 (default 1)
  --kill-worker N  kill the worker with SIGKILL N times during the demo, 0 to 100 (default 0)
  --workers N      worker processes, 1 to 8 (default 1)
  --redis-cluster  a Redis Cluster of three masters instead of one server
  --keep           keep the data of the last run (default)
  --reset          delete the data of the last run first
  --port N         port of the api, 1 to 65535 (default 3000, or the next free one)
  --data FOLDER    keep everything there instead of in .data: an empty or new folder, or one of an earlier start; two stacks
                   with different folders may run at once
  --help           show this

Redis is taken from REDIS_URL, else from redis-server or valkey-server on the PATH, else (Debian, Ubuntu) from the
distribution's packages, downloaded and unpacked below .data without installing anything.
`;

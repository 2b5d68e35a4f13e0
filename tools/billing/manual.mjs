export const manual = `Usage: npm run billing:verify -- [options]

Judges the books of a month: 14 invariants, each with the number of its violations and the first of them in words.
With DATABASE_ADMIN_URL in the environment it reads that database; otherwise it generates a month on a throw-away stack
(usage of every kind, invoices, AWS's bill), closes it, and judges that.

  --period YYYY-MM  the month (default: the last one; generated: 2026-10)
  --json            one JSON object as the last line of stdout
  --help            this text

Of a generated month:
  --tenants N       tenants (default 60)
  --messages N      messages (default 50000)
  --seed S          the same seed generates the same month (default 1)
  --corrupt ID      break invariant ID afterwards, to see that it is noticed
  --data FOLDER     where its stack is kept (default .data/billing-verify): an empty or new folder, or one of an earlier run

Exit code 1 when an invariant is violated.
`;

import { CannotStart } from '@libs/kernel';
import { z } from 'zod';

/** A variable is missing or wrong; the message names each one and what was expected. */
export class ConfigInvalid extends CannotStart {
  constructor(readonly problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigInvalid';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses the environment once, into a typed value. An empty variable counts as missing.
 * @throws ConfigInvalid naming every variable that is wrong.
 */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Environment = process.env,
): z.output<Schema> {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  throw new ConfigInvalid(
    parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      const found = present[name] === undefined ? 'it is not set' : issue.message;
      return name === '' ? issue.message : `${name}: ${issue.message}${found === issue.message ? '' : ` (${found})`}`;
    }),
  );
}

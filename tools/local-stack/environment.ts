import { loadConfig } from '@libs/config';
import { z } from 'zod';

/** The environment this program was started with, without what is unset or empty. */
export function ownEnvironment(): Record<string, string> {
  return loadConfig(z.record(z.string(), z.string()));
}

/**
 * The part of it that child processes may see. A variable of the user's real AWS account or database must not reach a stack
 * that is meant to stay on this machine.
 */
export function withoutForeignServices(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(AWS_|DATABASE_|REDIS_|PG|SNS_|SIMULATOR_)/.test(name)),
  );
}

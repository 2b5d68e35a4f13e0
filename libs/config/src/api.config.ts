import { z } from 'zod';
import { invoicingVariables, MISSING_SELLER, missingSeller } from './invoicing';
import { clockVariables, databaseUrl, environmentName, httpUrl, isRealTime, logLevel, port, redisUrl } from './parts';

const pepper = z
  .string({ error: 'expected at least 32 characters; make one with: openssl rand -hex 32' })
  .min(32, 'expected at least 32 characters; make one with: openssl rand -hex 32');

/** The api's environment. */
export const apiConfig = z
  .object({
    NODE_ENV: environmentName,
    API_HOST: z.string().default('127.0.0.1'),
    API_PORT: port.default(3000),
    DATABASE_APP_URL: databaseUrl('pf_app'),
    DATABASE_ADMIN_URL: databaseUrl('pf_admin'),
    DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(200).default(10),
    REDIS_URL: redisUrl,
    API_KEY_PEPPER: pepper,
    PUBLIC_URL: httpUrl.optional(),
    SNS_TRUSTED_SIMULATOR_ORIGIN: z
      .string()
      .regex(
        /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d+$/,
        'expected a loopback origin such as http://127.0.0.1:4566',
      )
      .optional(),
    SNS_TRUSTED_SIMULATOR_CA_FILE: z.string().optional(),
    LOG_LEVEL: logLevel,
    ...invoicingVariables,
    ...clockVariables,
  })
  .superRefine((config, context) => {
    const refuse = (name: string, message: string) => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    if ((config.SNS_TRUSTED_SIMULATOR_ORIGIN === undefined) !== (config.SNS_TRUSTED_SIMULATOR_CA_FILE === undefined)) {
      refuse('SNS_TRUSTED_SIMULATOR_ORIGIN', 'set it together with SNS_TRUSTED_SIMULATOR_CA_FILE, or neither');
    }
    if (config.NODE_ENV !== 'production') return;
    if (missingSeller(config)) refuse('SELLER_ADDRESS', MISSING_SELLER);
    if (config.SNS_TRUSTED_SIMULATOR_ORIGIN !== undefined) {
      refuse('SNS_TRUSTED_SIMULATOR_ORIGIN', 'production trusts certificates of Amazon SNS only: remove it');
    }
    if (!isRealTime(config))
      refuse('ENGINE_CLOCK_SPEED', 'production runs on real time only: remove the ENGINE_CLOCK_ variables');
  });

export type ApiConfig = z.output<typeof apiConfig>;

/** What making an operator's key needs of it. */
export const operatorKeyConfig = z.object({ DATABASE_ADMIN_URL: databaseUrl('pf_admin'), API_KEY_PEPPER: pepper });

/** What commands about billing need of it. */
export const billingCommandConfig = operatorKeyConfig.pick({ DATABASE_ADMIN_URL: true });

import type { Mode } from '@libs/kernel';

export interface StaticCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface AwsOptions {
  /** All LIVE calls go here instead of to AWS. */
  readonly endpoint?: string;
  /** Where TEST calls go: the simulator. Without it, test mode is off. */
  readonly testEndpoint?: string;
  /** The hub's keys; the SDK's default chain (environment, instance role) unless given. */
  readonly credentials?: StaticCredentials;
  /** The hub's keys at the test endpoint; the SDK's default chain unless given. */
  readonly testCredentials?: StaticCredentials;
  /** Region of the hub's own STS calls. */
  readonly hubRegion: string;
  /** Least pause between two control calls to SES in one account and region; 1,000 ms unless said (aws-facts 1.1). */
  readonly controlIntervalMs?: number;
  /** Seed of the refresh jitter, so that workers do not refresh in step; any number. */
  readonly seed?: number;
}

/** Test mode was asked for where no test endpoint is configured. */
export class TestModeOff extends Error {
  constructor() {
    super('Test mode is off here: set AWS_TEST_ENDPOINT_URL to the address of a simulator.');
    this.name = 'TestModeOff';
  }
}

/** How this process reaches AWS. */
export class AwsSettings {
  readonly hubRegion: string;
  readonly controlIntervalMs: number;
  readonly seed: number;

  constructor(private readonly options: AwsOptions) {
    this.hubRegion = options.hubRegion;
    this.controlIntervalMs = options.controlIntervalMs ?? 1_000;
    this.seed = options.seed ?? 1;
  }

  /** Settings of a client for that mode: the endpoint if one is set, nothing for real AWS. @throws TestModeOff */
  endpointFor(mode: Mode): { endpoint?: string } {
    if (mode === 'TEST') {
      if (this.options.testEndpoint === undefined) throw new TestModeOff();
      return { endpoint: this.options.testEndpoint };
    }
    return this.options.endpoint === undefined ? {} : { endpoint: this.options.endpoint };
  }

  /** The hub's own credentials for that mode: nothing means the SDK's default chain. */
  hubCredentialsFor(mode: Mode): { credentials?: StaticCredentials } {
    const own = mode === 'TEST' ? this.options.testCredentials : this.options.credentials;
    return own === undefined ? {} : { credentials: own };
  }
}

export interface FleetOptions {
  /** Exact ARNs of the hub's principals, for role templates; parameters of the template when they are not known. */
  readonly senderPrincipalArn?: string;
  readonly managerPrincipalArn?: string;
}

export class FleetSettings {
  readonly principals: FleetOptions;

  constructor(options: FleetOptions) {
    this.principals = options;
  }
}

export interface FleetEngineOptions extends FleetOptions {
  /** Where Amazon SNS reaches the api, without a path: `https://mail.example.com`. */
  readonly publicUrl: string;
}

/** What only the worker knows. */
export class FleetEngineSettings {
  readonly webhookUrl: string;

  constructor(options: FleetEngineOptions) {
    this.webhookUrl = `${options.publicUrl.replace(/\/+$/, '')}/webhooks/sns`;
  }
}

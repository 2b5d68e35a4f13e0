import { SystemClock } from '@libs/kernel';
import { Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { AwsSettings, type AwsOptions } from './aws.settings';
import { ControlPace } from './control-pace';
import { CredentialCache } from './credential-cache.service';
import { SendPools } from './send-pools';
import { SesClients } from './ses-clients';
import { SesControl } from './ses-control.service';
import { SesSender } from './ses-sender.service';
import { SnsControl } from './sns-control.service';
import { StsControl } from './sts-control.service';
import { Transports } from './transport';

/** AWS for the worker. The api does not import it: it holds no right to be anybody in AWS (SECURITY 63). */
@Module({})
export class AwsModule implements OnModuleDestroy {
  constructor(
    private readonly transports: Transports,
    private readonly sendPools: SendPools,
  ) {}

  static forRoot(options: AwsOptions): DynamicModule {
    const settings = new AwsSettings(options);
    const transports = new Transports();
    const sendPools = new SendPools(settings);
    // Signatures and credentials keep real time, whatever the engine's clock says.
    const clock = new SystemClock();
    const sts = new StsControl(settings, transports);
    const cache = new CredentialCache((role) => sts.assume(role), clock, settings.seed);
    const clients = new SesClients(settings, transports, cache, clock);
    const services = [
      { provide: AwsSettings, useValue: settings },
      { provide: CredentialCache, useValue: cache },
      { provide: StsControl, useValue: sts },
      { provide: SesControl, useValue: new SesControl(clients, new ControlPace(settings.controlIntervalMs)) },
      { provide: SnsControl, useValue: new SnsControl(settings, transports, cache, clock) },
      { provide: SesSender, useValue: new SesSender(sendPools, cache, clock) },
    ];
    return {
      module: AwsModule,
      global: true,
      providers: [
        { provide: Transports, useValue: transports },
        { provide: SendPools, useValue: sendPools },
        ...services,
      ],
      exports: services.map(({ provide }) => provide),
    };
  }

  async onModuleDestroy(): Promise<void> {
    this.transports.close();
    await this.sendPools.close();
  }
}

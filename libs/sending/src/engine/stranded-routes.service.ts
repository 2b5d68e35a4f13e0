import { PAUSED_ROUTE_REST_MS } from '@libs/fleet';
import { ProvisioningService } from '@libs/placement';
import { Ledger } from '@libs/quota';
import { Injectable } from '@nestjs/common';
import { inTurns } from './side-by-side';
import { StrandedRoutesRepository } from './stranded-routes.repository';

const PER_RUN = 20;

/**
 * Mail of a stream that its tenant's plan has no more goes where it was placed. When that way out is lost or paused at AWS, no
 * placement has it made anew; as long as mail waits for it, this does.
 */
@Injectable()
export class StrandedRoutes {
  constructor(
    private readonly rows: StrandedRoutesRepository,
    private readonly provisioning: ProvisioningService,
    private readonly ledger: Ledger,
  ) {}

  /** @throws AWS's error, after all were tried */
  async restore(): Promise<void> {
    const pausedBefore = new Date(this.ledger.nowMs() - PAUSED_ROUTE_REST_MS);
    const stranded = await this.rows.find(pausedBefore, PER_RUN);
    await inTurns(1, stranded, (route) => this.provisioning.restore(route));
  }
}

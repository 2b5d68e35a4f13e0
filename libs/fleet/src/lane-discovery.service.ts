import type { DedicatedIpInfo, SesAccountControl } from '@libs/aws';
import { UnitOfWork } from '@libs/database';
import { EngineClock, type SendingAccountId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';
import { planLanes } from './lane-plan.policy';
import { LaneRepository } from './lane.repository';

/** Finds dedicated IPs and pools, puts stray IPs into a pool before anything can be sent on them, keeps the lanes. */
@Injectable()
export class LaneDiscovery {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly lanes: LaneRepository,
    private readonly clock: EngineClock,
  ) {}

  /** Everything: pools, IPs, lanes. */
  async discover(id: SendingAccountId, control: SesAccountControl): Promise<void> {
    await this.arrange(id, control, await control.listDedicatedIps());
  }

  /** The cheap look of every minute: one call while nothing changed, everything when an IP is new, gone or elsewhere. */
  async refresh(id: SendingAccountId, control: SesAccountControl): Promise<void> {
    const ips = await control.listDedicatedIps();
    const known = await this.uow.forSystem(() => this.lanes.knownIps(id));
    const same = ips.length === known.size && ips.every(({ ip, poolName }) => known.has(`${ip}=${poolName ?? ''}`));
    if (same && ips.every(({ poolName }) => poolName !== undefined)) {
      if (ips.length > 0) await this.uow.forSystem(() => this.lanes.saveIps(id, ips, this.clock.now()));
      return;
    }
    await this.arrange(id, control, ips);
  }

  private async arrange(
    id: SendingAccountId,
    control: SesAccountControl,
    ips: readonly DedicatedIpInfo[],
  ): Promise<void> {
    const plan = planLanes(await control.listPools(), ips);
    for (const pool of plan.poolsToCreate) await control.ensurePool(pool);
    for (const { ip, poolName } of plan.assignments) await control.putIpInPool(ip, poolName);
    const assigned = new Map(plan.assignments.map(({ ip, poolName }) => [ip, poolName]));
    const placed = ips.map((info) => ({ ...info, poolName: assigned.get(info.ip) ?? info.poolName }));
    await this.uow.forSystem(async () => {
      await this.lanes.save(id, plan.lanes, this.clock.now());
      await this.lanes.saveIps(id, placed, this.clock.now());
    });
  }
}

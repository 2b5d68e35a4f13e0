import { AwsAccountService, SendingAccountService } from '@libs/fleet';
import type { Page, PageRequest } from '@libs/kernel';
import { PlanService } from '@libs/plans';
import { Query, Resolver } from '@nestjs/graphql';
import { RequiresRole } from '../../auth/access.decorator';
import { MAX_PAGE } from '../../graphql/connection.type';
import { overviewOf } from './fleet-overview.policy';
import { FleetOverview } from './fleet-overview.type';

@Resolver()
export class FleetOverviewResolver {
  constructor(
    private readonly awsAccounts: AwsAccountService,
    private readonly sendingAccounts: SendingAccountService,
    private readonly plans: PlanService,
  ) {}

  @RequiresRole('viewer')
  @Query(() => FleetOverview, { description: 'The fleet on one page: accounts, capacity and use by tier.' })
  async fleetOverview(): Promise<FleetOverview> {
    const [tiers, accounts, sending] = await Promise.all([
      this.plans.tiers(),
      everything((page) => this.awsAccounts.list(page)),
      everything((page) => this.sendingAccounts.list(page)),
    ]);
    return overviewOf(tiers, accounts, sending);
  }
}

/** All pages of a list of the fleet: hundreds of rows at most. */
async function everything<Row extends { readonly id: string }>(
  list: (page: PageRequest) => Promise<Page<Row>>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await list({ limit: MAX_PAGE, ...(after === undefined ? {} : { after }) });
    rows.push(...page.rows);
    after = page.rows.at(-1)?.id;
    if (!page.hasNext || after === undefined) return rows;
  }
}

import type { AwsAccount as AwsAccountRow } from '@libs/fleet';
import { toPublicId } from '@libs/kernel';
import type { AwsAccount } from './aws-account.type';

export function toAwsAccount(row: AwsAccountRow): AwsAccount {
  return { ...row, uuid: row.id, id: toPublicId('awsAccount', row.id), regions: [...row.regions] };
}

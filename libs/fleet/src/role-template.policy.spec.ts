import { managePermissions, roleTemplates, sendPermissions, trustPolicy } from './role-template.policy';

const input = {
  accountId: '111122223333',
  externalId: 'external-1',
  sendRoleArn: 'arn:aws:iam::111122223333:role/postfleet/fleet-send',
  manageRoleArn: 'arn:aws:iam::111122223333:role/own/path/manage',
};

interface Template {
  Parameters: Record<string, { Default?: string }>;
  Resources: Record<
    string,
    {
      Properties: {
        Path: string;
        RoleName: string;
        AssumeRolePolicyDocument: unknown;
        Policies: { PolicyDocument: unknown }[];
      };
    }
  >;
}

describe('role templates', () => {
  it('for CloudFormation make both roles with trust in one principal under the external id', () => {
    const template = JSON.parse(roleTemplates(input).cloudFormation) as Template;
    const { FleetSend, FleetManage } = template.Resources;
    expect(FleetSend?.Properties).toMatchObject({
      Path: '/postfleet/',
      RoleName: 'fleet-send',
      AssumeRolePolicyDocument: trustPolicy({ Ref: 'SenderPrincipalArn' }, 'external-1'),
    });
    expect(FleetSend?.Properties.Policies[0]?.PolicyDocument).toEqual(sendPermissions('111122223333'));
    expect(FleetManage?.Properties).toMatchObject({ Path: '/own/path/', RoleName: 'manage' });
    expect(FleetManage?.Properties.Policies[0]?.PolicyDocument).toEqual(managePermissions('111122223333'));
    expect(template.Parameters['SenderPrincipalArn']).not.toHaveProperty('Default');
  });

  it('name the hub’s principals once they are configured', () => {
    const senderPrincipalArn = 'arn:aws:iam::999900000000:role/postfleet-sender';
    const { cloudFormation, terraform } = roleTemplates({ ...input, senderPrincipalArn });
    expect((JSON.parse(cloudFormation) as Template).Parameters['SenderPrincipalArn']?.Default).toBe(senderPrincipalArn);
    expect(terraform).toContain(`default     = "${senderPrincipalArn}"`);
  });

  it('for Terraform refer to the principal as a variable, not as a text', () => {
    const { terraform } = roleTemplates(input);
    expect(terraform).toContain('"AWS": var.sender_principal_arn');
    expect(terraform).toContain('"AWS": var.manager_principal_arn');
    expect(terraform).not.toContain('@PRINCIPAL@');
    expect(terraform.match(/^resource "aws_iam_role"/gm)).toHaveLength(2);
  });

  it('grant no wildcard action, nothing in IAM, sending to one role only', () => {
    const actionsOf = ({ Statement }: { Statement: { Action: string[] }[] }) =>
      Statement.flatMap(({ Action }) => Action);
    const manage = actionsOf(managePermissions('111122223333'));
    expect([...manage, ...actionsOf(sendPermissions('111122223333'))].filter((action) => action.includes('*'))).toEqual(
      [],
    );
    expect(manage.filter((action) => /^(iam|sts):|^ses:Send/.test(action))).toEqual([]);
  });
});

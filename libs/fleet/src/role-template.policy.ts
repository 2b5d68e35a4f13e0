/** The two roles of a fleet account: who is trusted, with which external id, to do what. Least privilege, listed one by one. */
export interface RoleTemplateInput {
  readonly accountId: string;
  readonly externalId: string;
  readonly sendRoleArn: string;
  readonly manageRoleArn: string;
  /** Exact ARN of the hub's principal that sends; a parameter of the template when it is not configured. */
  readonly senderPrincipalArn?: string;
  /** Exact ARN of the hub's principal that manages; may be the same. */
  readonly managerPrincipalArn?: string;
}

export interface RoleTemplates {
  /** JSON text for CloudFormation. */
  readonly cloudFormation: string;
  /** HCL text for Terraform. */
  readonly terraform: string;
}

const READ_SES = [
  'ses:GetAccount',
  'ses:GetConfigurationSet',
  'ses:GetConfigurationSetEventDestinations',
  'ses:GetDedicatedIp',
  'ses:GetDedicatedIpPool',
  'ses:GetDedicatedIps',
  'ses:GetEmailIdentity',
  'ses:GetSuppressedDestination',
  'ses:GetTenant',
  'ses:ListConfigurationSets',
  'ses:ListDedicatedIpPools',
  'ses:ListEmailIdentities',
  'ses:ListSuppressedDestinations',
  'ses:ListTenants',
];

const CHANGE_SES = [
  'ses:CreateConfigurationSet',
  'ses:CreateConfigurationSetEventDestination',
  'ses:CreateDedicatedIpPool',
  'ses:CreateEmailIdentity',
  'ses:CreateTenant',
  'ses:CreateTenantResourceAssociation',
  'ses:DeleteConfigurationSet',
  'ses:DeleteConfigurationSetEventDestination',
  'ses:DeleteDedicatedIpPool',
  'ses:DeleteEmailIdentity',
  'ses:DeleteSuppressedDestination',
  'ses:DeleteTenant',
  'ses:DeleteTenantResourceAssociation',
  'ses:PutConfigurationSetDeliveryOptions',
  'ses:PutConfigurationSetReputationOptions',
  'ses:PutConfigurationSetSendingOptions',
  'ses:PutConfigurationSetSuppressionOptions',
  'ses:PutConfigurationSetTrackingOptions',
  'ses:PutDedicatedIpInPool',
  'ses:PutDedicatedIpWarmupAttributes',
  'ses:PutEmailIdentityConfigurationSetAttributes',
  'ses:PutEmailIdentityDkimAttributes',
  'ses:PutEmailIdentityDkimSigningAttributes',
  'ses:PutEmailIdentityMailFromAttributes',
  'ses:PutSuppressedDestination',
  'ses:UpdateConfigurationSetEventDestination',
];

const SNS = ['sns:CreateTopic', 'sns:SetTopicAttributes', 'sns:Subscribe', 'sns:ConfirmSubscription'];
const QUOTAS = [
  'servicequotas:GetServiceQuota',
  'servicequotas:ListServiceQuotas',
  'servicequotas:RequestServiceQuotaIncrease',
];

/** Exactly one principal, only with this account's external id, only under our session names. */
export function trustPolicy(principalArn: unknown, externalId: string) {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: principalArn },
        Action: ['sts:AssumeRole', 'sts:TagSession'],
        Condition: {
          StringEquals: { 'sts:ExternalId': externalId },
          StringLike: { 'sts:RoleSessionName': 'pf-*' },
        },
      },
    ],
  };
}

/** May send, through our configuration sets only. Raw mail is authorised under an action of its own (aws-facts 8). */
export function sendPermissions(accountId: string) {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['ses:SendBulkEmail', 'ses:SendEmail', 'ses:SendRawEmail'],
        Resource: [`arn:aws:ses:*:${accountId}:identity/*`, `arn:aws:ses:*:${accountId}:configuration-set/pf-*`],
      },
    ],
  };
}

/** May set things up and look, never send, never touch IAM. */
export function managePermissions(accountId: string) {
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: [...READ_SES, ...CHANGE_SES], Resource: '*' },
      { Effect: 'Allow', Action: SNS, Resource: `arn:aws:sns:*:${accountId}:postfleet-*` },
      { Effect: 'Allow', Action: [...QUOTAS, 'cloudwatch:GetMetricData'], Resource: '*' },
    ],
  };
}

interface TemplateRole {
  readonly key: 'FleetSend' | 'FleetManage';
  readonly arn: string;
  readonly parameter: string;
  readonly principal: string | undefined;
  readonly permissions: object;
}

export function roleTemplates(input: RoleTemplateInput): RoleTemplates {
  const roles: TemplateRole[] = [
    {
      key: 'FleetSend',
      arn: input.sendRoleArn,
      parameter: 'SenderPrincipalArn',
      principal: input.senderPrincipalArn,
      permissions: sendPermissions(input.accountId),
    },
    {
      key: 'FleetManage',
      arn: input.manageRoleArn,
      parameter: 'ManagerPrincipalArn',
      principal: input.managerPrincipalArn,
      permissions: managePermissions(input.accountId),
    },
  ];
  return { cloudFormation: cloudFormation(roles, input), terraform: terraform(roles, input) };
}

function cloudFormation(roles: readonly TemplateRole[], input: RoleTemplateInput): string {
  const parameters = roles.map(({ parameter, principal }) => [
    parameter,
    {
      Type: 'String',
      Description: 'Exact ARN of the Postfleet principal that may assume this role',
      ...(principal === undefined ? {} : { Default: principal }),
    },
  ]);
  const resources = roles.map(({ key, arn, parameter, permissions }) => {
    const { path, name } = nameOf(arn);
    return [
      key,
      {
        Type: 'AWS::IAM::Role',
        Properties: {
          Path: path,
          RoleName: name,
          MaxSessionDuration: 3600,
          AssumeRolePolicyDocument: trustPolicy({ Ref: parameter }, input.externalId),
          Policies: [{ PolicyName: `postfleet-${name}`, PolicyDocument: permissions }],
        },
      },
    ];
  });
  return JSON.stringify(
    {
      AWSTemplateFormatVersion: '2010-09-09',
      Description: `Roles that let Postfleet send through and manage Amazon SES in account ${input.accountId}`,
      Parameters: Object.fromEntries(parameters) as object,
      Resources: Object.fromEntries(resources) as object,
    },
    null,
    2,
  );
}

function terraform(roles: readonly TemplateRole[], input: RoleTemplateInput): string {
  return roles
    .map(({ key, arn, parameter, principal, permissions }) => {
      const { path, name } = nameOf(arn);
      const label = key === 'FleetSend' ? 'fleet_send' : 'fleet_manage';
      const variable = parameter === 'SenderPrincipalArn' ? 'sender_principal_arn' : 'manager_principal_arn';
      // The one place of the trust policy that is an expression; JSON.stringify cannot write it.
      const trust = JSON.stringify(trustPolicy('@PRINCIPAL@', input.externalId), null, 2).replace(
        '"@PRINCIPAL@"',
        `var.${variable}`,
      );
      return [
        `variable "${variable}" {`,
        '  type        = string',
        '  description = "Exact ARN of the Postfleet principal that may assume this role"',
        ...(principal === undefined ? [] : [`  default     = ${JSON.stringify(principal)}`]),
        '}',
        '',
        `resource "aws_iam_role" "${label}" {`,
        `  path                 = ${JSON.stringify(path)}`,
        `  name                 = ${JSON.stringify(name)}`,
        '  max_session_duration = 3600',
        `  assume_role_policy   = jsonencode(${trust})`,
        '}',
        '',
        `resource "aws_iam_role_policy" "${label}" {`,
        `  name   = "postfleet-${name}"`,
        `  role   = aws_iam_role.${label}.id`,
        `  policy = jsonencode(${JSON.stringify(permissions, null, 2)})`,
        '}',
        '',
      ].join('\n');
    })
    .join('\n');
}

function nameOf(roleArn: string): { path: string; name: string } {
  const full = roleArn.slice(roleArn.indexOf(':role/') + ':role'.length);
  const cut = full.lastIndexOf('/') + 1;
  return { path: full.slice(0, cut), name: full.slice(cut) };
}

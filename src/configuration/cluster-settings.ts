/** Settings of the clusters: how they are logged in to, and how they are watched. */
import { anything, listOf, oneOf, rate, seconds } from './checks.ts'

export const CLUSTER_SETTINGS = [
  {
    key: 'credentials',
    placeholder: '<folder>',
    default: undefined,
    parse: anything,
    description:
      'Kubeconfigs of the clusters that are watched, one file each; `control` is the control cluster (default: credentials in the data directory)',
  },
  {
    key: 'cluster-credentials',
    placeholder: '<list>',
    default: 'folder',
    parse: listOf('folder', 'control-cluster', 'aws-secrets-manager', 'eks'),
    description:
      'Where credentials of clusters are looked for, in this order: `folder`, `control-cluster` (Secrets), `aws-secrets-manager`, `eks` (a token made for clusters on EKS)',
  },
  {
    key: 'credentials-namespace',
    placeholder: '<namespace>',
    default: 'fleetwright',
    parse: (text: string) =>
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? undefined : 'must be the name of a namespace',
    description: 'Namespace on the control cluster with the Secrets of `control-cluster`',
  },
  {
    key: 'eks-role',
    placeholder: '<ARN>',
    default: undefined,
    parse: (text: string) =>
      /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(text)
        ? undefined
        : 'must be the ARN of a role, for example arn:aws:iam::123456789012:role/fleetwright',
    description: 'Role to assume for clusters on EKS; without it the AWS credentials of the process are used',
  },
  {
    key: 'aws-observation',
    placeholder: '<on|off>',
    default: 'off',
    parse: oneOf('on', 'off'),
    description:
      'on: AWS itself is asked about databases, buckets and EKS clusters of the fleet; needs `spec.aws` of fleet.yaml',
  },
  {
    key: 'aws-observation-seconds',
    placeholder: '<seconds>',
    default: '900',
    parse: seconds,
    description: 'How often AWS is asked about everything',
  },
  {
    key: 'ping-per-second',
    placeholder: '<number>',
    default: '0',
    parse: rate,
    description: 'Installations whose /api/v4/system/ping is asked a second, over the whole fleet; 0: none',
  },
  {
    key: 'stuck-seconds',
    placeholder: '<seconds>',
    default: '600',
    parse: seconds,
    description: 'An operation that is still under way after this time is called stuck, with its reason',
  },
  {
    key: 'failed-seconds',
    placeholder: '<seconds>',
    default: '1800',
    parse: seconds,
    description: 'A stuck operation with a known cause has failed after this time',
  },
  {
    key: 'nudge',
    placeholder: '<on|off>',
    default: 'on',
    parse: oneOf('on', 'off'),
    description: 'on: the engines are told at once what was pushed (sets an annotation of their objects)',
  },
  {
    key: 'drift-sweep-seconds',
    placeholder: '<seconds>',
    default: '600',
    parse: seconds,
    description: 'How often everything on a cluster is compared with git, besides what its watches tell',
  },
] as const

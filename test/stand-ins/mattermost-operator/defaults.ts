/** The defaults that the operator writes into a resource which does not say everything. */
import type { MattermostSpec } from './types.ts'

interface Size {
  readonly replicas: number
  readonly requests: Readonly<Record<string, string>>
  readonly limits: Readonly<Record<string, string>>
}

function size(replicas: number, requests: string, limits: string): Size {
  const resources = (text: string): Readonly<Record<string, string>> => {
    const [cpu = '', memory = ''] = text.split('/')
    return { cpu, memory }
  }
  return { replicas, requests: resources(requests), limits: resources(limits) }
}

const MIDDLE = size(2, '500m/500Mi', '4/8Gi')
const SIZES: Readonly<Record<string, Size>> = {
  '100users': size(1, '100m/256Mi', '2/4Gi'),
  '1000users': size(2, '150m/256Mi', '2/4Gi'),
  '5000users': MIDDLE,
  '10000users': MIDDLE,
  '25000users': size(2, '1/4Gi', '4/16Gi'),
  cloud10users: size(2, '10m/150Mi', '2/4Gi'),
  cloud100users: size(2, '50m/256Mi', '2/4Gi'),
  miniSingleton: size(1, '10m/150Mi', '2/4Gi'),
  miniHA: size(2, '10m/150Mi', '2/4Gi'),
}

/** @returns undefined when nothing is missing: the operator does not write then */
export function withDefaults(spec: MattermostSpec): MattermostSpec | undefined {
  const complete =
    spec.image !== undefined &&
    spec.version !== undefined &&
    spec.imagePullPolicy !== undefined &&
    spec.replicas !== undefined &&
    spec.scheduling?.resources !== undefined &&
    (spec.size ?? '') === ''
  if (complete) return undefined
  const { size: name = '', ...rest } = spec
  const sized = SIZES[name] ?? MIDDLE
  const isSized = name !== ''
  const resources = { requests: sized.requests, limits: sized.limits }
  return {
    elasticSearch: {},
    ingressName: '',
    podExtensions: {},
    probes: { livenessProbe: {}, readinessProbe: {} },
    image: 'mattermost/mattermost-enterprise-edition',
    version: '10.8.1',
    imagePullPolicy: 'IfNotPresent',
    ...rest,
    // A size wins over what the resource says.
    replicas: isSized ? sized.replicas : (spec.replicas ?? sized.replicas),
    scheduling: {
      ...spec.scheduling,
      resources: isSized ? resources : (spec.scheduling?.resources ?? resources),
    },
  }
}

/** The parts of objects that the stand-in reads and writes. */
import type { KubernetesObject } from '../../../scripts/testbed/kubernetes-api.ts'

export interface MattermostSpec {
  readonly size?: string
  readonly image?: string
  readonly version?: string
  readonly imagePullPolicy?: string
  readonly replicas?: number
  readonly licenseSecret?: string
  readonly mattermostEnv?: readonly object[]
  readonly ingress?: { readonly enabled: boolean; readonly host?: string; readonly ingressClass?: string }
  readonly resourceLabels?: Readonly<Record<string, string>>
  readonly scheduling?: {
    readonly resources?: Readonly<Record<string, unknown>>
    readonly affinity?: object
    readonly nodeSelector?: Readonly<Record<string, string>>
    readonly tolerations?: readonly object[]
  }
  readonly database?: { readonly external?: { readonly secret?: string } }
  readonly fileStore?: {
    readonly external?: {
      readonly url?: string
      readonly bucket?: string
      readonly secret?: string
      readonly useServiceAccount?: boolean
    }
  }
  readonly podTemplate?: {
    readonly extraAnnotations?: Readonly<Record<string, string>>
    readonly command?: readonly string[]
  }
  readonly [field: string]: unknown
}

export interface MattermostStatus {
  readonly state?: 'reconciling' | 'ready' | 'stable'
  readonly observedGeneration?: number
  readonly version?: string | undefined
  readonly image?: string
  readonly endpoint?: string
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly error?: string | undefined
}

export interface Mattermost extends KubernetesObject {
  readonly spec: MattermostSpec
  readonly status?: MattermostStatus
}

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas: number
    readonly selector: object
    readonly template: {
      readonly metadata: object
      readonly spec: { readonly containers: readonly Container[]; readonly [field: string]: unknown }
    }
    readonly [field: string]: unknown
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
  }
}

export interface Job extends KubernetesObject {
  readonly status?: {
    readonly succeeded?: number
    readonly failed?: number
    readonly completionTime?: string
  }
}

interface Container {
  readonly name: string
  readonly image: string
  readonly [field: string]: unknown
}

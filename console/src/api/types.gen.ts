/* Made by tools/make-types from data/openapi.json, which the server's route table and data/api-schemas.json make. */

export type Health = "Healthy" | "Degraded" | "Progressing" | "Suspended" | "Missing" | "Unknown";

export type SyncState = "Synced" | "OutOfSync" | "Unknown";

export type Phase = "Running" | "Terminating" | "Failed" | "Error" | "Succeeded";

export type Role = "viewer" | "operator" | "admin";

export type PlatformRole = "platform-admin" | "platform-self-provisioner" | "platform-regular";

export type Provider = "git" | "github" | "gitlab" | "bitbucket";

export interface Status {
    kind: string;
    apiVersion: string;
    status: string;
    message: string;
    reason: string;
    code: number;
}

export interface Named {
    name: string;
}

export interface NamedList {
    items: Named[];
}

export interface Session {
    user: string;
}

export interface LogIn {
    username: string;
    password: string;
}

export interface ServerStatus {
    version: string;
    ready: boolean;
    uptimeSeconds: number;
    controlNamespace: string;
    user: string;
    home: Record<string, unknown>;
    sandbox: boolean;
    applications?: number;
    clusters?: Cluster[];
}

export interface Membership {
    devops: string;
    role: Role;
}

export interface User {
    name: string;
    role: PlatformRole;
    language: string;
    disabled: boolean;
    sessions: number;
    tokens: number;
    created?: string;
    memberships: Membership[];
    admin?: boolean;
}

export interface UserList {
    items: User[];
}

export interface UserNew {
    name: string;
    role?: PlatformRole;
    password: string;
    language?: string;
}

export interface UserChange {
    role?: PlatformRole;
    language?: string;
    disabled?: boolean;
}

export interface PasswordNew {
    password: string;
    current?: string;
}

export interface Token {
    name: string;
    created?: string;
    expires?: string;
    expired?: boolean;
}

export interface TokenList {
    items: Token[];
}

export interface TokenNew {
    name: string;
    expiresInDays?: number;
}

export interface TokenMade {
    name: string;
    created?: string;
    expires?: string;
    expired?: boolean;
    token: string;
}

export interface Member {
    name: string;
    kind: string;
    role: Role;
    disabled?: boolean;
}

export interface MemberList {
    items: Member[];
}

export interface MemberNew {
    name: string;
    role: Role;
}

export interface MemberChange {
    role: Role;
}

export interface Bootstrap {
    user: User;
    rights: string[];
    rightSets: string[][];
    admins: string[];
    version: string;
    controlNamespace: string;
    devops: DevOps[];
    clusters: Cluster[];
}

export interface DevOps {
    name: string;
    namespace: string;
    alias?: string;
    description?: string;
    creator?: string;
    created?: string;
    repos?: string[];
    locations?: string[];
    clusterResources?: boolean;
    role?: string;
    health?: Record<string, number>;
    applications?: number;
    rights?: number;
}

export interface DevOpsList {
    items: DevOps[];
    total?: number;
    matched?: number;
    cursor?: string;
}

export interface DevOpsNew {
    name: string;
    alias?: string;
    description?: string;
    repos?: string[];
    locations?: string[];
    clusterResources?: boolean;
}

export interface DevOpsChange {
    alias?: string;
    description?: string;
    repos?: string[];
    locations?: string[];
    clusterResources?: boolean;
}

export interface Connection {
    state: string;
    message?: string;
    checkedAt?: string;
}

export interface Repository {
    name: string;
    url: string;
    provider: string;
    alias?: string;
    description?: string;
    creator?: string;
    created?: string;
    credential?: string;
    inline?: boolean;
    server?: string;
    owner?: string;
    repo?: string;
    resourceVersion?: string;
    usedBy?: string[];
    rewritten?: string[];
    connection?: Connection;
}

export interface RepositoryList {
    items: Repository[];
    total?: number;
    matched?: number;
    cursor?: string;
}

export interface RepositoryNew {
    name: string;
    url: string;
    alias?: string;
    description?: string;
    provider?: Provider;
    server?: string;
    owner?: string;
    repo?: string;
    credential?: string;
    acceptHostKey?: string;
}

export interface Ref {
    name: string;
    commit: string;
    symref?: string;
}

export interface RefList {
    items: Ref[];
    total: number;
}

export interface RepositoryTest {
    state: string;
    refs?: number;
    head?: string;
    branches?: string[];
    branchesTotal?: number;
    tags?: string[];
    tagsTotal?: number;
    movedTo?: string;
    message?: string;
    fingerprint?: string;
}

export interface Folder {
    name: string;
    type?: string;
    folders?: boolean;
}

export interface FolderList {
    items: Folder[];
    commit: string;
    self?: Folder;
    more: boolean;
}

export interface Credential {
    name: string;
    type: string;
    alias?: string;
    description?: string;
    creator?: string;
    created?: string;
    username?: string;
    usedBy?: string[];
}

export interface CredentialList {
    items: Credential[];
    total?: number;
    matched?: number;
    cursor?: string;
}

export interface CredentialNew {
    name: string;
    type: "basic" | "ssh" | "token";
    secret: string;
    username?: string;
    passphrase?: string;
    alias?: string;
    description?: string;
}

export interface Cluster {
    name: string;
    server?: string;
    version?: string;
    reachable?: boolean;
    message?: string;
    simulated?: boolean;
    state?: string;
    environment?: string;
    namespaces?: string;
    editable?: boolean;
    created?: string;
}

export interface ClusterList {
    items: Cluster[];
    total?: number;
    matched?: number;
    cursor?: string;
}

export interface ClusterNew {
    name: string;
    kubeconfig: string;
    environment?: string;
}

export interface ProjectList {
    items: Named[];
    more: boolean;
}

export interface AppRow {
    name: string;
    alias?: string;
    description?: string;
    creator?: string;
    health: Health;
    healthWhy?: string;
    sync: SyncState;
    differ: number;
    total: number;
    cluster?: string;
    project?: string;
    projects?: string[];
    repo?: string;
    path?: string;
    target: string;
    revision?: string;
    phase?: Phase;
    auto?: boolean;
    prune?: boolean;
    selfHeal?: boolean;
    updated?: string;
    created: string;
    deleting?: boolean;
    progress?: string;
    problem?: string;
}

export interface AppFacets {
    health: Record<string, number>;
    sync: Record<string, number>;
    cluster: Record<string, number>;
}

export interface AppList {
    items: AppRow[];
    total: number;
    matched: number;
    facets: AppFacets;
    seq: string;
    cursor?: string;
}

export interface Application {
    apiVersion: string;
    kind: string;
    metadata: Record<string, unknown>;
    spec: Record<string, unknown>;
    status?: Record<string, unknown>;
    operation?: Record<string, unknown>;
}

export interface ResourceKey {
    group?: string;
    kind: string;
    namespace?: string;
    name: string;
}

export interface Resource {
    group: string;
    version: string;
    kind: string;
    namespace: string;
    name: string;
    uid?: string;
    images?: string;
    status?: string;
    health?: string;
    message?: string;
    note?: string;
    requiresPruning?: boolean;
    deleting?: boolean;
    file?: string;
}

export interface ResourceList {
    items: Resource[];
}

export interface Facts {
    lastCheck?: string;
    gitChecked?: string;
    cause?: string;
    message?: string;
    resources: Resource[];
}

export interface TreeNode {
    id: string;
    parent?: string;
    group: string;
    version: string;
    kind: string;
    namespace: string;
    name: string;
    managed?: boolean;
    status?: string;
    health?: string;
    message?: string;
    created?: string;
    info?: string;
    images?: string[];
    file?: string;
}

export interface Tree {
    items: TreeNode[];
}

export interface DiffField {
    path: string;
    live?: unknown;
    wanted?: unknown;
    manager?: string;
    time?: string;
}

export interface DiffItem {
    group: string;
    kind: string;
    namespace: string;
    name: string;
    status: string;
    message?: string;
    live?: unknown;
    wanted?: unknown;
    fields: DiffField[];
}

export interface DiffList {
    items: DiffItem[];
}

export interface Manifests {
    commit: string;
    objects: Record<string, unknown>[];
}

export interface HistoryEntry {
    id: number;
    revision?: string;
    deployedAt?: string;
    deployStartedAt?: string;
    initiatedBy?: {
        username?: string;
        automated?: boolean;
    };
    source?: Record<string, unknown>;
}

export interface HistoryList {
    items: HistoryEntry[];
}

export interface Object {
    group: string;
    kind: string;
    namespace: string;
    name: string;
    managed?: boolean;
    live?: Record<string, unknown>;
    wanted?: Record<string, unknown>;
}

export interface Event {
    source: string;
    type: string;
    reason: string;
    message?: string;
    last?: string;
    count?: number;
    revision?: string;
    by?: string;
    automated?: boolean;
}

export interface EventList {
    items: Event[];
    cut?: boolean;
}

export interface SyncRequest {
    revision?: string;
    prune?: boolean;
    dryRun?: boolean;
    syncStrategy?: Record<string, unknown>;
    syncOptions?: string[];
    resources?: ResourceKey[];
}

export interface PreviewItem {
    group: string;
    version?: string;
    kind: string;
    namespace: string;
    name: string;
    effect: string;
    reason?: string;
    file?: string;
}

export interface Preview {
    revision?: string;
    commit?: string;
    type?: string;
    cluster?: string;
    resources: PreviewItem[];
    warnings: unknown[];
}

export interface ServicePort {
    name?: string;
    port: number;
    protocol?: string;
    nodePort?: number;
}

export interface Service {
    name: string;
    project: string;
    cluster: string;
    application: string;
    type: string;
    clusterIP?: string;
    created?: string;
    ports: ServicePort[];
    links: string[];
}

export interface ServiceList {
    items: Service[];
}

export interface AccessChange {
    mode: "None" | "NodePort" | "LoadBalancer";
}

export interface StreamChange {
    add?: string[];
    drop?: string[];
}

export interface StreamTopics {
    topics: string[];
}

/** Every route with a shape: the answer, and the body where there is one. */
export interface Routes {
    "GET /taut/v1/status": { answer: ServerStatus; body: unknown };
    "GET /taut/v1/bootstrap": { answer: Bootstrap; body: unknown };
    "POST /taut/v1/session": { answer: Session; body: LogIn };
    "GET /taut/v1/session": { answer: Session; body: unknown };
    "GET /taut/v1/users": { answer: UserList; body: unknown };
    "POST /taut/v1/users": { answer: User; body: UserNew };
    "GET /taut/v1/users/{name}": { answer: User; body: unknown };
    "PATCH /taut/v1/users/{name}": { answer: User; body: UserChange };
    "PUT /taut/v1/users/{name}/password": { answer: unknown; body: PasswordNew };
    "GET /taut/v1/users/{name}/tokens": { answer: TokenList; body: unknown };
    "POST /taut/v1/users/{name}/tokens": { answer: TokenMade; body: TokenNew };
    "GET /taut/v1/me": { answer: User; body: unknown };
    "PUT /taut/v1/me/password": { answer: unknown; body: PasswordNew };
    "GET /taut/v1/me/tokens": { answer: TokenList; body: unknown };
    "POST /taut/v1/me/tokens": { answer: TokenMade; body: TokenNew };
    "GET /taut/v1/devops": { answer: DevOpsList; body: unknown };
    "POST /taut/v1/devops": { answer: DevOps; body: DevOpsNew };
    "GET /taut/v1/devops/{devops}": { answer: DevOps; body: unknown };
    "PATCH /taut/v1/devops/{devops}": { answer: DevOps; body: DevOpsChange };
    "DELETE /taut/v1/devops/{devops}": { answer: Named; body: unknown };
    "GET /taut/v1/devops/{devops}/members": { answer: MemberList; body: unknown };
    "POST /taut/v1/devops/{devops}/members": { answer: Member; body: MemberNew };
    "GET /taut/v1/devops/{devops}/members/candidates": { answer: NamedList; body: unknown };
    "PUT /taut/v1/devops/{devops}/members/{name}": { answer: Member; body: MemberChange };
    "GET /taut/v1/devops/{devops}/credentials": { answer: CredentialList; body: unknown };
    "POST /taut/v1/devops/{devops}/credentials": { answer: Credential; body: CredentialNew };
    "DELETE /taut/v1/devops/{devops}/credentials/{name}": { answer: Named; body: unknown };
    "GET /taut/v1/devops/{devops}/repos": { answer: RepositoryList; body: unknown };
    "POST /taut/v1/devops/{devops}/repos": { answer: Repository; body: RepositoryNew };
    "GET /taut/v1/devops/{devops}/repos/{name}": { answer: Repository; body: unknown };
    "PATCH /taut/v1/devops/{devops}/repos/{name}": { answer: Repository; body: RepositoryNew };
    "DELETE /taut/v1/devops/{devops}/repos/{name}": { answer: Named; body: unknown };
    "POST /taut/v1/devops/{devops}/repos/{name}/test": { answer: RepositoryTest; body: unknown };
    "GET /taut/v1/devops/{devops}/repos/{name}/refs": { answer: RefList; body: unknown };
    "GET /taut/v1/devops/{devops}/repos/{name}/tree": { answer: FolderList; body: unknown };
    "POST /taut/v1/devops/{devops}/repo-test": { answer: RepositoryTest; body: unknown };
    "GET /taut/v1/devops/{devops}/clusters/{cluster}/projects": {
        answer: ProjectList;
        body: unknown;
    };
    "GET /taut/v1/clusters": { answer: ClusterList; body: unknown };
    "POST /taut/v1/clusters": { answer: Cluster; body: ClusterNew };
    "POST /taut/v1/devops/{devops}/preview": { answer: Preview; body: unknown };
    "POST /taut/v1/stream/{sid}/topics": { answer: StreamTopics; body: StreamChange };
    "GET /taut/v1/devops/{devops}/apps": { answer: AppList; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}": { answer: Application; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/facts": { answer: Facts; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/diff": { answer: DiffList; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/manifests": { answer: Manifests; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/history": { answer: HistoryList; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/resources": { answer: ResourceList; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/tree": { answer: Tree; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/resources/{key}": { answer: Object; body: unknown };
    "GET /taut/v1/devops/{devops}/apps/{name}/resources/{key}/events": {
        answer: EventList;
        body: unknown;
    };
    "GET /taut/v1/devops/{devops}/apps/{name}/events": { answer: EventList; body: unknown };
    "POST /taut/v1/devops/{devops}/apps/{name}/sync": { answer: Application; body: SyncRequest };
    "POST /taut/v1/devops/{devops}/apps/{name}/terminate": { answer: Application; body: unknown };
    "POST /taut/v1/devops/{devops}/apps/{name}/refresh": { answer: Named; body: unknown };
    "GET /taut/v1/devops/{devops}/services": { answer: ServiceList; body: unknown };
    "PUT /taut/v1/devops/{devops}/services/{cluster}/{project}/{name}/access": {
        answer: unknown;
        body: AccessChange;
    };
}

/** Statements of whoever runs the server: roles, grants, databases, extensions, replication, foreign servers. */
import { type Fields, fieldsOf, isFields, list, optionText, stringOf, text } from './nodes.ts'
import { anyName, type Objects, relations } from './objects.ts'
import type { PlannedAction, Reach, Reading } from './reading.ts'

export type Make = (fields: Fields, out: Reading) => PlannedAction

export const only = (objects: readonly (string | undefined)[]): Objects => ({
  relations: [],
  objects: objects.flatMap((name) => (name === undefined || name === '' ? [] : [name])),
})

export function admin(verb: string, name: string, reaches: readonly Reach[] = []): Make {
  return (fields, out) => {
    for (const reach of reaches) out.reaches.add(reach)
    return { verb, kind: 'admin', objects: only([text(fields[name])]).objects }
  }
}

export const administration: Readonly<Record<string, Make>> = {
  GrantStmt: (fields) => {
    const verb = fields.is_grant === true ? 'GRANT' : 'REVOKE'
    const inSchema = fields.targtype === 'ACL_TARGET_ALL_IN_SCHEMA'
    const objects = list(fields.objects)
    if (inSchema) return { verb, kind: 'admin', objects: objects.map((item) => `${stringOf(item) ?? ''}.*`) }
    if (fields.objtype === 'OBJECT_TABLE' || fields.objtype === 'OBJECT_SEQUENCE')
      return { verb, kind: 'admin', relations: relations(objects) }
    return { verb, kind: 'admin', objects: only(objects.map(anyName)).objects }
  },
  GrantRoleStmt: (fields) => ({
    verb: fields.is_grant === true ? 'GRANT ROLE' : 'REVOKE ROLE',
    kind: 'admin',
    objects: only(list(fields.granted_roles).map((item) => text(fieldsOf(item, 'AccessPriv')?.priv_name))).objects,
  }),
  AlterDefaultPrivilegesStmt: admin('ALTER DEFAULT PRIVILEGES', ''),
  CreateRoleStmt: admin('CREATE ROLE', 'role'),
  AlterRoleStmt: (fields) => ({ verb: 'ALTER ROLE', kind: 'admin', ...only([roleName(fields.role)]) }),
  AlterRoleSetStmt: (fields) => ({ verb: 'ALTER ROLE', kind: 'admin', ...only([roleName(fields.role)]) }),
  DropRoleStmt: (fields) => ({
    verb: 'DROP ROLE',
    kind: 'admin',
    ...only(list(fields.roles).map((role) => roleName(fieldsOf(role, 'RoleSpec')))),
  }),
  DropOwnedStmt: (_fields, out) => {
    out.reshuffles = true
    return { verb: 'DROP OWNED', kind: 'admin', unbounded: true }
  },
  ReassignOwnedStmt: admin('REASSIGN OWNED', ''),
  CreatedbStmt: admin('CREATE DATABASE', 'dbname', ['server']),
  DropdbStmt: admin('DROP DATABASE', 'dbname', ['server']),
  AlterDatabaseStmt: admin('ALTER DATABASE', 'dbname', ['server']),
  AlterDatabaseSetStmt: admin('ALTER DATABASE', 'dbname', ['server']),
  AlterDatabaseRefreshCollStmt: admin('ALTER DATABASE', 'dbname', ['server']),
  CreateTableSpaceStmt: admin('CREATE TABLESPACE', 'tablespacename', ['server', 'file']),
  DropTableSpaceStmt: admin('DROP TABLESPACE', 'tablespacename', ['server', 'file']),
  AlterTableSpaceOptionsStmt: admin('ALTER TABLESPACE', 'tablespacename', ['server']),
  AlterTableMoveAllStmt: admin('ALTER TABLE', 'orig_tablespacename', ['server']),
  AlterSystemStmt: (fields, out) => {
    out.reaches.add('server')
    const set = isFields(fields.setstmt) ? fields.setstmt : {}
    return { verb: 'ALTER SYSTEM', kind: 'admin', objects: only([text(set.name)]).objects }
  },
  CreateExtensionStmt: admin('CREATE EXTENSION', 'extname', ['server']),
  AlterExtensionStmt: admin('ALTER EXTENSION', 'extname', ['server']),
  AlterExtensionContentsStmt: admin('ALTER EXTENSION', 'extname', ['server']),
  CreateFdwStmt: admin('CREATE FOREIGN DATA WRAPPER', 'fdwname', ['network']),
  AlterFdwStmt: admin('ALTER FOREIGN DATA WRAPPER', 'fdwname', ['network']),
  CreateForeignServerStmt: admin('CREATE SERVER', 'servername', ['network']),
  AlterForeignServerStmt: admin('ALTER SERVER', 'servername', ['network']),
  CreateUserMappingStmt: admin('CREATE USER MAPPING', 'servername', ['network']),
  AlterUserMappingStmt: admin('ALTER USER MAPPING', 'servername', ['network']),
  DropUserMappingStmt: admin('DROP USER MAPPING', 'servername', ['network']),
  ImportForeignSchemaStmt: admin('IMPORT FOREIGN SCHEMA', 'server_name', ['network']),
  CreatePublicationStmt: admin('CREATE PUBLICATION', 'pubname', ['network']),
  AlterPublicationStmt: admin('ALTER PUBLICATION', 'pubname', ['network']),
  CreateSubscriptionStmt: admin('CREATE SUBSCRIPTION', 'subname', ['network']),
  AlterSubscriptionStmt: admin('ALTER SUBSCRIPTION', 'subname', ['network']),
  DropSubscriptionStmt: admin('DROP SUBSCRIPTION', 'subname', ['network']),
  CreatePLangStmt: admin('CREATE LANGUAGE', 'plname', ['program']),
  CreateAmStmt: admin('CREATE ACCESS METHOD', 'amname'),
  CreateTransformStmt: admin('CREATE TRANSFORM', 'lang'),
  CreateConversionStmt: admin('CREATE CONVERSION', ''),
  CreateOpClassStmt: admin('CREATE OPERATOR CLASS', ''),
  CreateOpFamilyStmt: admin('CREATE OPERATOR FAMILY', ''),
  AlterOpFamilyStmt: admin('ALTER OPERATOR FAMILY', ''),
}

/** RoleSpec stands bare in some statements. */
function roleName(role: unknown): string | undefined {
  return isFields(role) ? (text(role.rolename) ?? optionText(role)) : undefined
}

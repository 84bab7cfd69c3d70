import { describe, expect, it } from 'vitest'
import { readCall } from '../../../../src/gateway/protocols/kubernetes/api-call.ts'

/** `verb group/resource/subresource namespace name`, as the API server's own tests of RequestInfo put it. */
function said(method: string, target: string): string {
  const call = readCall(method, target)
  if (call.kind === 'doubtful') return `doubt: ${call.doubt}`
  if (call.kind === 'url') return `${call.verb} ${call.path}`
  const { verb, group, resource, subresource, namespace, name } = call
  return [verb, `${group}/${resource}${subresource && `/${subresource}`}`, namespace || '-', name || '-'].join(' ')
}

describe('what a request means to Kubernetes', () => {
  it.each([
    ['GET', '/api/v1/namespaces', 'list /namespaces - -'],
    ['GET', '/api/v1/namespaces/other', 'get /namespaces other other'],
    ['GET', '/api/v1/namespaces/other/pods', 'list /pods other -'],
    ['GET', '/api/v1/namespaces/other/pods/foo', 'get /pods other foo'],
    ['HEAD', '/api/v1/namespaces/other/pods/foo', 'get /pods other foo'],
    ['GET', '/api/v1/pods', 'list /pods - -'],
    ['HEAD', '/api/v1/pods', 'list /pods - -'],
    ['POST', '/api/v1/namespaces/other/pods', 'create /pods other -'],
    ['PUT', '/api/v1/namespaces/other/pods/foo', 'update /pods other foo'],
    ['PATCH', '/api/v1/namespaces/other/pods/foo', 'patch /pods other foo'],
    ['DELETE', '/api/v1/namespaces/other/pods/foo', 'delete /pods other foo'],
    ['DELETE', '/api/v1/namespaces/other/pods', 'deletecollection /pods other -'],
    ['DELETE', '/api/v1/pods', 'deletecollection /pods - -'],
    ['GET', '/api/v1/namespaces/other/pods/foo/log', 'get /pods/log other foo'],
    ['POST', '/api/v1/namespaces/other/pods/foo/exec', 'create /pods/exec other foo'],
    ['GET', '/api/v1/namespaces/other/pods/foo/exec?command=ls', 'get /pods/exec other foo'],
    ['PUT', '/api/v1/namespaces/other/finalize', 'update /namespaces/finalize other other'],
    ['PUT', '/api/v1/namespaces/other/status', 'update /namespaces/status other other'],
    ['GET', '/apis/apps/v1/namespaces/other/deployments/foo/scale', 'get apps/deployments/scale other foo'],
    ['GET', '/apis/apps/v1/deployments', 'list apps/deployments - -'],
    [
      'GET',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/admin',
      'get rbac.authorization.k8s.io/clusterroles - admin',
    ],
    [
      'GET',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
      'get rbac.authorization.k8s.io/clusterroles - system:node',
    ],
    ['GET', '/api/v1/namespaces/other/services/https:web:443/proxy/a/b', 'get /services/proxy other https:web:443'],
    ['POST', '/api/v1/nodes/n1/proxy/run/other/foo/app', 'create /nodes/proxy - n1'],
  ])('%s %s: %s', (method, target, expected) => {
    expect(said(method, target)).toBe(expected)
  })

  it.each([
    ['/api/v1/namespaces/other/pods?watch=true', 'watch /pods other -'],
    ['/api/v1/namespaces/other/pods?watch=1', 'watch /pods other -'],
    ['/api/v1/namespaces/other/pods?watch', 'watch /pods other -'],
    ['/api/v1/namespaces/other/pods?watch=yes', 'watch /pods other -'],
    ['/api/v1/namespaces/other/pods?watch=false', 'list /pods other -'],
    ['/api/v1/namespaces/other/pods?watch=FALSE', 'list /pods other -'],
    ['/api/v1/namespaces/other/pods?watch=0', 'list /pods other -'],
    ['/api/v1/namespaces/other/pods?watch=false&watch=true', 'list /pods other -'],
    ['/api/v1/namespaces/other/pods?watch=true&watch=false', 'watch /pods other -'],
    ['/api/v1/namespaces/other/pods?%77atch=true', 'watch /pods other -'],
    ['/api/v1/namespaces/other/pods?Watch=true', 'list /pods other -'],
    ['/api/v1/namespaces/other/pods/foo?watch=true', 'get /pods other foo'],
    ['/api/v1/watch/pods', 'watch /pods - -'],
    ['/api/v1/watch/namespaces/other/pods', 'watch /pods other -'],
    ['/api/v1/watch/namespaces/other/pods/foo', 'watch /pods other foo'],
    ['/api/v1/watch/namespaces', 'watch /namespaces - -'],
    ['/apis/apps/v1/watch/deployments', 'watch apps/deployments - -'],
  ])('watching: %s is %s', (target, expected) => {
    expect(said('GET', target)).toBe(expected)
  })

  it.each([
    ['fieldSelector=metadata.name%3Dfoo', 'list /pods other foo'],
    ['fieldSelector=metadata.name%3D%3Dfoo', 'list /pods other foo'],
    ['fieldSelector=metadata.name=foo', 'list /pods other foo'],
    ['fieldSelector=metadata.name%3Dfoo&watch=true', 'watch /pods other foo'],
    ['fieldSelector=status.phase%3DRunning,metadata.name%3Dfoo', 'list /pods other foo'],
    // All but that one, several, or what nobody can be sure of: the whole collection.
    ['fieldSelector=metadata.name!%3Dfoo', 'list /pods other -'],
    ['fieldSelector=metadata.name%3Dfoo,metadata.name%3Dbar', 'list /pods other -'],
    ['fieldSelector=metadata.name%3Dfoo&fieldSelector=metadata.name%3Dbar', 'list /pods other -'],
    ['fieldSelector=metadata.name%3Df%5C%2Coo', 'list /pods other -'],
    ['fieldSelector=metadata.name%3D', 'list /pods other -'],
    ['fieldSelector=metadata.namespace%3Dfoo', 'list /pods other -'],
    ['FieldSelector=metadata.name%3Dfoo', 'list /pods other -'],
  ])('a selector: %s is %s', (query, expected) => {
    expect(said('GET', `/api/v1/namespaces/other/pods?${query}`)).toBe(expected)
  })

  it('takes no name from the selector of a deletion', () => {
    expect(said('DELETE', '/api/v1/namespaces/other/pods?fieldSelector=metadata.name%3Dfoo')).toBe(
      'deletecollection /pods other -',
    )
  })

  it.each([
    ['GET', '/', 'get /'],
    ['GET', '/api', 'get /api'],
    ['GET', '/api/v1', 'get /api/v1'],
    ['GET', '/apis', 'get /apis'],
    ['GET', '/apis/apps/v1', 'get /apis/apps/v1'],
    ['GET', '/version?timeout=5s', 'get /version'],
    ['GET', '/openapi/v3/', 'get /openapi/v3/'],
    ['GET', '/metrics', 'get /metrics'],
    ['GET', '/apiserver/api/v1/pods', 'get /apiserver/api/v1/pods'],
    ['POST', '/debug/flags/v', 'post /debug/flags/v'],
  ])('no resource: %s %s', (method, target, expected) => {
    expect(said(method, target)).toBe(expected)
  })

  it.each([
    ['GET', '/api/v1//secrets'],
    ['GET', '//api/v1/secrets'],
    ['GET', '/api//v1/secrets'],
    ['GET', '/api/v1/secrets/'],
    ['GET', '/api/v1/namespaces/a/../../secrets'],
    ['GET', '/api/v1/./secrets'],
    ['GET', '/api/v1/namespaces/a/%2e%2e/secrets'],
    ['GET', '/api/v1/namespaces/a/%252e%252e/secrets'],
    ['GET', '/api/v1/namespaces/a/pods%2Fx'],
    ['GET', '/api/v1/namespaces/a%2Fsecrets'],
    ['GET', '/api/v1/namespaces/a%252Fsecrets'],
    ['GET', '/api/v1/namespaces/a/pods;x/secrets'],
    ['GET', '/api/v1/namespaces/a/..;/secrets'],
    ['GET', '/api/v1/namespaces/a\\secrets'],
    ['GET', '/api/v1/namespaces/a%5C..%5Csecrets'],
    ['GET', '/api/v1/Secrets'],
    ['GET', '/API/v1/secrets'],
    ['GET', '/APIS/apps/v1/deployments'],
    ['GET', '/api/v1/namespaces/a/pods/x/EXEC'],
    ['GET', '/api/v1/secrets%00'],
    ['GET', '/api/v1/secrets%3Fx'],
    ['GET', '/api/v1/secrets%zz'],
    ['GET', '/api/v1/secrets%ff'],
    ['GET', '/api/v1/pods?watch=false;watch=true'],
    ['GET', '/api/v1/pods?watch=%zz'],
    ['GET', '/api/v1/proxy/namespaces/a/pods/x'],
    ['GET', '/api/v1/watch'],
    ['DELETE', '/api/v1/watch/namespaces/a/pods'],
    ['OPTIONS', '/api/v1/namespaces/a/pods'],
    ['PROPFIND', '/api/v1/namespaces/a/pods'],
    ['get', '/api/v1/namespaces/a/pods'],
    ['GET', '/api/v1/namespaces/proxy/pods//x'],
    ['GET', '/api/v1/namespaces/a/services/w/proxy/../../../secrets'],
    ['GET', '/api/v1/namespaces/a/services/w/proxy/%2e%2e/x'],
    ['GET', '/api/v1/namespaces/a/services/w/proxy/a%2F..%2F..%2Fsecrets'],
    ['GET', '/api/v1/namespaces/a/services/w/proxy/%252e%252e/x'],
  ])('is in doubt about %s %s', (method, target) => {
    expect(said(method, target)).toMatch(/^doubt: /)
  })

  it('leaves what is behind a proxy to whoever stands there', () => {
    expect(said('GET', '/api/v1/namespaces/a/services/w/proxy//a%2Fb;c/?x;y')).toBe('get /services/proxy a w')
  })
})

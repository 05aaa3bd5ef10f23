// Shows the API's own description with swagger-ui; asks nobody but this server.
addEventListener('DOMContentLoaded', () => {
  // @ts-ignore: a global of swagger-ui-bundle.js
  globalThis.SwaggerUIBundle({
    url: '/api/v1/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
  });
});

<?php

require __DIR__ . '/../vendor/autoload.php';

$routes = FastRoute\simpleDispatcher(function (FastRoute\RouteCollector $r) {
    $r->get('/hello/{name}', fn(array $found) => Acme\Greeter::greet($found['name']) . ' from ' . Shop\Place::name());
});
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
[$known, $handler, $found] = $routes->dispatch($_SERVER['REQUEST_METHOD'], $path) + [1 => null, 2 => null];
http_response_code($known === FastRoute\Dispatcher::FOUND ? 200 : 404);
echo $handler ? $handler($found) : 'nothing here';

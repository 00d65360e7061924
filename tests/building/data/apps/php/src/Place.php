<?php

namespace Shop;

class Place
{
    public static function name(): string
    {
        return 'the shop';
    }
}

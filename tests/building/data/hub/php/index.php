hello
<?php
